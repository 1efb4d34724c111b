// What shorewatchctl shows of tasks: tables, details, events, JSON.
#include <string>

#include "dbus/ctl/json_out.h"
#include "dbus/ctl/tasks/task_client.h"
#include "dbus/ctl/tasks/task_views.h"
#include "tests/unit/catch.h"

using namespace shorewatch::ctl;
using Catch::Matchers::ContainsSubstring;

namespace {

constexpr std::uint64_t now = 1'795'318'318'000'000;
constexpr std::uint64_t minute = 60'000'000;

sdbus::Variant text(const std::string& value) {
    return sdbus::Variant(value);
}

Properties container(std::uint32_t position, const std::string& known, const std::string& waits_for) {
    return {{"Position", sdbus::Variant(position)}, {"Image", text("reg/web:1")},
            {"KnownStatus", text(known)},           {"DesiredStatus", text("RUNNING")},
            {"WaitsFor", text(waits_for)},          {"Essential", sdbus::Variant(position == 0)}};
}

TaskInfo shop() {
    Properties ended = container(2, "STOPPED", "");
    ended["ExitCode"] = sdbus::Variant(std::int32_t{137});
    ended["OOMKilled"] = sdbus::Variant(true);
    const std::map<std::string, Properties> containers = {
        {"web", container(0, "PULLED", "container db to be running")},
        {"db", container(1, "RUNNING", "")},
        {"a\njob", ended}};
    return task_info("/org/shorewatch1/tasks/shop", {{"Arn", text("shop")},
                                                     {"Family", text("shop")},
                                                     {"Version", text("7")},
                                                     {"DesiredStatus", text("RUNNING")},
                                                     {"KnownStatus", text("PULLED")},
                                                     {"Reason", text("")},
                                                     {"AddedAt", sdbus::Variant(now - 5 * minute)},
                                                     {"CleanupAt", sdbus::Variant(now + 90 * minute)},
                                                     {"Containers", sdbus::Variant(containers)}});
}

}  // namespace

TEST_CASE("a task is read from its properties, its containers in the order of the definition") {
    const TaskInfo task = shop();
    REQUIRE(task.containers.size() == 3);
    CHECK(task.containers[0].name == "web");
    CHECK(task.containers[1].name == "db");
    CHECK(task.containers[2].exit_code == 137);
    CHECK(task.added_at == now - 5 * minute);
    // Of an earlier or later daemon.
    const TaskInfo empty = task_info("/x", {{"Arn", sdbus::Variant(std::uint32_t{7})}});
    CHECK(empty.arn.empty());
    CHECK(empty.containers.empty());
}

TEST_CASE("a table of tasks says where each is and where it is wanted") {
    CHECK(task_table({shop()}, now, {}) ==
          "ARN   FAMILY  STATUS  WANTED   RUNNING  AGE   REASON\n"
          "shop  shop:7  PULLED  RUNNING      1/3  5m0s  -\n");
}

TEST_CASE("what each container waits for is shown, and how it ended, harmlessly") {
    const std::string details = task_details(shop(), now, {});
    CHECK_THAT(details,
               ContainsSubstring("Status:      PULLED, wanted RUNNING\n") && ContainsSubstring("\nweb\n") &&
                   ContainsSubstring("Waits for: container db to be running\n") &&
                   ContainsSubstring("\ndb (not essential)\n") &&
                   ContainsSubstring("\na\\njob (not essential)\n") &&
                   ContainsSubstring("exit code 137, out of memory\n") && ContainsSubstring("(in 1h30m)"));
}

TEST_CASE("images are shown by each of their names, and in JSON one by one") {
    const std::vector<ImageInfo> images = {
        {"0123456789abcdef", {"reg/db:1", "reg/db\n:2"}, 5 << 20, now - 5 * minute}, {"fedcba", {}, 0, 0}};
    CHECK(image_table(images, now, {}) ==
          "IMAGE       ID                SIZE  AGE\n"
          "reg/db:1    0123456789ab  5.00 MiB  5m0s\n"
          "reg/db\\n:2  0123456789ab  5.00 MiB  5m0s\n"
          "-           fedcba               -  -\n");
    CHECK_THAT(to_json(images), ContainsSubstring("\"Id\": \"0123456789abcdef\"") &&
                                    ContainsSubstring("\"reg/db:1\"") &&
                                    ContainsSubstring("\"Size\": 5242880") &&
                                    ContainsSubstring("\"CreatedAt\": 1795318018000000"));
    CHECK(to_json(std::vector<ImageInfo>{}) == "[]\n");
}

TEST_CASE("an event is a line, or an object on a line") {
    TaskEvent event{"shop", "", "STOPPED", "container db ended", "/org/shorewatch1/tasks/shop", 9, {}};
    CHECK_THAT(task_event_text(event, now, {}), ContainsSubstring("STOPPED  shop  container db ended"));
    CHECK(to_json(event) == R"({"arn":"shop","status":"STOPPED","reason":"container db ended",)"
                            R"("path":"/org/shorewatch1/tasks/shop","sequence":9,"details":{}})");
    event.container = "db";
    event.reason = "";
    event.details["ExitCode"] = sdbus::Variant(std::int32_t{3});
    CHECK_THAT(task_event_text(event, now, {}), ContainsSubstring("STOPPED  shop db  exit code 3"));
    CHECK_THAT(to_json(event),
               ContainsSubstring(R"("container":"db")") && ContainsSubstring(R"("ExitCode":3)"));
}

TEST_CASE("a task in JSON has all its properties, those of its containers too") {
    CHECK_THAT(to_json(shop()), ContainsSubstring("\"WaitsFor\": \"container db to be running\"") &&
                                    ContainsSubstring("\"Path\": \"/org/shorewatch1/tasks/shop\""));
}
