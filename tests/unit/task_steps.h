// Steps that tests of the task engine have in common, in a world whose task is called "t".
#pragma once

#include <algorithm>
#include <string>
#include <variant>
#include <vector>

#include "tests/unit/catch.h"
#include "tests/unit/task_world.h"

namespace shorewatch::testing {

// A task of these containers, as JSON objects' members.
inline std::string task_of(const std::vector<std::string>& containers, const std::string& more = "") {
    std::string all;
    for (const std::string& container : containers)
        all += (all.empty() ? "{" : ",{") + container + "}";
    return R"({"family":"shop","revision":1,"taskArn":"t",)" + more + R"("containerDefinitions":[)" + all +
           "]}";
}

inline const std::string db = R"("name":"db","image":"db")";
inline const std::string web = R"("name":"web","image":"web","links":["db"])";
inline const std::string job = R"("name":"job","image":"job","essential":false)";

inline TaskContainerView container(TaskWorld& world, const std::string& name) {
    const TaskView task = world.task("t");
    return *std::ranges::find(task.containers, name, &TaskContainerView::name);
}

inline TaskError error_of(const std::variant<std::string, TaskError>& answer) {
    return std::get<TaskError>(answer);
}

inline EngineCallPtr only(TaskWorld& world, CallKind kind) {
    const auto calls = world.calls(kind);
    REQUIRE(calls.size() == 1);
    return calls.front();
}

// Its first write is done, so that the engine may be asked.
inline void write_down(TaskWorld& world) {
    while (!world.is_saving()) {
        world.turn_all();
        REQUIRE(world.pass_time());
    }
    world.finish_save(std::nullopt);
    world.turn_all();
}

// All answers as they are true, but for calls of this kind.
inline void answer_until(TaskWorld& world, CallKind kind) {
    while (world.calls(kind).empty()) {
        world.turn_all();
        if (world.is_saving()) {
            world.finish_save(std::nullopt);
        } else if (!world.calls().empty()) {
            if (world.calls(kind).empty()) world.answer(EngineCallPtr(world.calls().front()));
        } else {
            REQUIRE(world.pass_time());
        }
    }
}

}  // namespace shorewatch::testing
