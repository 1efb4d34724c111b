// Task definitions: what is taken of ECS's JSON, and what is told of mistakes.
#include <string>
#include <string_view>
#include <vector>

#include "daemon/tasks/definition_reader.h"
#include "daemon/tasks/task_engine.h"
#include "tests/unit/catch.h"

using namespace shorewatch;

namespace {

using Condition = ContainerDependency::Condition;

// A definition of one container with these members beside its name and image.
std::string with_container(const std::string& members) {
    return R"({"family":"f","containerDefinitions":[{"name":"a","image":"i",)" + members + "}]}";
}

// Of two containers, the second with these members.
std::string with_second(const std::string& members, const std::string& first = "") {
    return R"({"family":"f","containerDefinitions":[{"name":"a","image":"i")" + first +
           R"(},{"name":"b","image":"i",)" + members + "}]}";
}

std::string with_task(const std::string& members) {
    return R"({"family":"f","containerDefinitions":[{"name":"a","image":"i"}],)" + members + "}";
}

std::string error_of(const std::string& text) {
    try {
        (void)read_definition(text);
    } catch (const InvalidDefinition& error) {
        return error.path() + " " + error.what();
    }
    return "no error";
}

}  // namespace

TEST_CASE("a task definition is taken as ECS has it") {
    const WantedTask task = read_definition(R"({
        "family": "shop", "revision": 7, "taskArn": "arn:aws:ecs:eu-west-1:1:task/shop/1",
        "desiredStatus": "RUNNING",
        "pullCredentials": {"registry.example:5000": {"username": "u", "password": "p"}},
        "volumes": [{"name": "scratch"}, {"name": "etc", "host": {"sourcePath": "/etc/shop"}},
                    {"name": "more", "host": {}}],
        "containerDefinitions": [
            {"name": "db", "image": "registry.example:5000/db:1.2", "cpu": 128, "memory": 64,
             "memoryReservation": 32, "essential": true, "stopTimeout": 5,
             "environment": [{"name": "A", "value": "1"}, {"name": "B"}],
             "mountPoints": [{"sourceVolume": "scratch", "containerPath": "/data"}],
             "portMappings": [{"containerPort": 80, "hostPort": 8080}, {"containerPort": 53, "protocol": "udp"}]},
            {"name": "init", "image": "busybox", "essential": false, "command": ["true"]},
            {"name": "web", "image": "web", "entryPoint": ["/bin/web"], "command": ["-v"], "links": ["db:base"],
             "volumesFrom": [{"sourceContainer": "db", "readOnly": true}],
             "mountPoints": [{"sourceVolume": "etc", "containerPath": "/etc/shop", "readOnly": true}],
             "dependsOn": [{"containerName": "init", "condition": "SUCCESS"}],
             "dockerLabels": {"com.example.team": "blue"}}]})");
    CHECK(task.arn == "arn:aws:ecs:eu-west-1:1:task/shop/1");
    CHECK(task.desired == TaskStatus::running);
    CHECK(task.credentials.at("registry.example:5000") == RegistryCredentials{"u", "p"});
    const TaskDefinition& definition = *task.definition;
    CHECK(definition.family == "shop");
    CHECK(definition.version == "7");
    CHECK(definition.volumes ==
          std::vector<VolumeDefinition>{{"scratch", ""}, {"etc", "/etc/shop"}, {"more", ""}});
    const ContainerDefinition& db = definition.containers.at(0);
    CHECK(db.image == "registry.example:5000/db:1.2");
    CHECK(db.cpu_shares == 128);
    CHECK(db.memory_bytes == 64ULL * 1024 * 1024);
    CHECK(db.memory_reservation_bytes == 32ULL * 1024 * 1024);
    CHECK(db.essential);
    CHECK(db.stop_timeout == std::chrono::seconds(5));
    CHECK(db.environment == StringPairs{{"A", "1"}, {"B", ""}});
    CHECK(db.mounts == std::vector<ContainerDefinition::MountPoint>{{0, "/data", false}});
    CHECK(db.ports == std::vector<PortMapping>{{80, 8080, PortMapping::Protocol::tcp},
                                               {53, 0, PortMapping::Protocol::udp}});
    CHECK_FALSE(db.command);
    CHECK(db.dependencies.empty());
    const ContainerDefinition& web = definition.containers.at(2);
    CHECK(web.entry_point == std::vector<std::string>{"/bin/web"});
    CHECK(web.command == std::vector<std::string>{"-v"});
    CHECK(web.links == std::vector<ContainerDefinition::Link>{{0, "base"}});
    CHECK(web.volumes_from == std::vector<ContainerDefinition::VolumesFrom>{{0, true}});
    CHECK(web.mounts == std::vector<ContainerDefinition::MountPoint>{{1, "/etc/shop", true}});
    CHECK(web.labels == StringPairs{{"com.example.team", "blue"}});
    CHECK(web.dependencies == std::vector<ContainerDependency>{
                                  {0, Condition::running}, {0, Condition::created}, {1, Condition::success}});
}

TEST_CASE("what is left out has ECS's defaults") {
    const WantedTask task =
        read_definition(R"({"family":"f","containerDefinitions":[{"name":"a","image":"i"}]})");
    CHECK(task.arn.empty());
    CHECK(task.desired == TaskStatus::running);
    CHECK(task.definition->version == "0");
    const ContainerDefinition& container = task.definition->containers.at(0);
    CHECK(container.essential);
    CHECK(container.stop_timeout == std::chrono::seconds(30));
    CHECK_FALSE(container.command);
    CHECK_FALSE(container.entry_point);
}

TEST_CASE("early agents' dependencies and environments, and overrides, are taken") {
    const WantedTask task = read_definition(R"({"family":"f","containerDefinitions":[
        {"name":"a","image":"i","environment":{"A":"1"},"overrides":{"command":["x"]},"command":["y"]},
        {"name":"b","image":"i","runDependencies":["a"],"command":["y"]}],
        "overrides":{"containerOverrides":[{"name":"b","command":["z"]}]}})");
    CHECK(task.definition->containers.at(0).environment == StringPairs{{"A", "1"}});
    CHECK(task.definition->containers.at(0).command == std::vector<std::string>{"x"});
    CHECK(task.definition->containers.at(1).command == std::vector<std::string>{"z"});
    CHECK(task.definition->containers.at(1).dependencies ==
          std::vector<ContainerDependency>{{0, Condition::running}});
}

TEST_CASE("what ECS itself adds to a definition is let pass, and what says nothing, too") {
    const std::string described =
        R"({"taskDefinition":{"taskDefinitionArn":"arn:aws:x","family":"f","revision":3,
        "containerDefinitions":[{"name":"a","image":"i","cpu":0,"portMappings":[],"essential":true,
        "environment":[],"mountPoints":[],"volumesFrom":[],"systemControls":[],"privileged":false,
        "healthCheck":null,"user":"","linuxParameters":{}}],"volumes":[],"status":"ACTIVE",
        "requiresAttributes":[{"name":"com.amazonaws.ecs.capability.docker-remote-api.1.18"}],
        "placementConstraints":[],"compatibilities":["EXTERNAL","EC2"],"requiresCompatibilities":["EC2"],
        "registeredAt":"2026-01-01T00:00:00","registeredBy":"arn:aws:iam::1:root","networkMode":"bridge",
        "executionRoleArn":"arn:aws:iam::1:role/x","taskRoleArn":"arn:aws:iam::1:role/y"},"tags":[]})";
    CHECK(read_definition(described).definition->version == "3");
}

TEST_CASE("a definition is kept without its task's name, wants and credentials") {
    const WantedTask task = read_definition(with_task(R"("taskArn":"x","desiredStatus":"STOPPED",
                     "pullCredentials":{"docker.io":{"username":"u","password":"secret"}})"));
    CHECK(task.desired == TaskStatus::stopped);
    CHECK(task.json == R"({"family":"f","containerDefinitions":[{"name":"a","image":"i"}]})");
    CHECK(*read_definition(task.json).definition == *task.definition);
}

TEST_CASE("numbers in what is let pass are kept as they are") {
    const std::string json =
        R"({"family":"f","containerDefinitions":[{"name":"a","image":"i"}],"tags":[0.1,1.7976931348623157e308,)"
        R"(5e-324,9.095084038257599e-9,18446744073709551615]})";
    const std::string kept = read_definition(json).json;
    CHECK(read_definition(kept).json == kept);
}

TEST_CASE("an image's registry is told by its name") {
    CHECK(registry_of("busybox") == "docker.io");
    CHECK(registry_of("library/busybox:1") == "docker.io");
    CHECK(registry_of("localhost/busybox") == "localhost");
    CHECK(registry_of("registry.example/a/b@sha256:00") == "registry.example");
    CHECK(registry_of("127.0.0.1:5000/a") == "127.0.0.1:5000");
}

TEST_CASE("a mistake in a definition is told by its place and what is wrong") {
    const std::string c0 = "$.containerDefinitions[0]";
    const std::string c1 = "$.containerDefinitions[1]";
    const std::string name = "; expected 1 to 255 letters, digits, '-' and '_'";
    struct Case {
        std::string text;
        std::string error;
    };
    const std::vector<Case> cases = {
        // The whole.
        {"", "$ is no task definition: the JSON is malformed at byte 0: The document is empty."},
        {"{", "$ is no task definition: the JSON is malformed at byte 1: Missing a name for object member."},
        {"[]", "$ is an array; expected an object: a task definition"},
        {"null", "$ is null; expected an object: a task definition"},
        {"{} {}",
         "$ is no task definition: the JSON is malformed at byte 3: The document root must not be followed "
         "by other values."},
        {std::string(300'000, ' '), "$ is 300000 bytes long; expected at most 262144"},
        {std::string(40, '['),
         "$ is no task definition: the JSON is nested too deep or holds too many values"},
        {R"({"taskDefinition":{},"x":1})", "$.x is no field of a described task definition"},
        {R"({"taskDefinition":{}})", "$.taskDefinition.family is missing; a task definition has to have it"},
        // The task.
        {"{}", "$.family is missing; a task definition has to have it"},
        {R"({"family":"f"})", "$.containerDefinitions is missing; a task definition has to have it"},
        {R"({"family":"f","family":"g"})", "$.family is there twice"},
        {R"({"family":5})", "$.family is a number; expected a string"},
        {R"({"family":"a b"})", "$.family is 'a b'" + name},
        {R"({"family":""})", "$.family is ''" + name},
        {R"({"family":"f\u0000"})", "$.family holds characters that are none; expected UTF-8 without NUL"},
        {with_task(R"("famly":1)"), "$.famly is no field of a task definition"},
        {with_task(R"("Volumes":[])"), "$.Volumes is no field of a task definition; expected 'volumes'"},
        {with_task(R"("\u001b[31m":1)"), R"($['\x1b[31m'] is no field of a task definition)"},
        {with_task(R"("revision":"1")"), "$.revision is a string; expected an integer, 0 to 2147483647"},
        {with_task(R"("revision":-1)"), "$.revision is -1; expected an integer, 0 to 2147483647"},
        {with_task(R"("revision":1.5)"),
         "$.revision is no integer within reach; expected an integer, 0 to 2147483647"},
        {with_task(R"("taskArn":"a\nb")"), "$.taskArn holds control characters; expected a name"},
        {with_task(R"("taskArn":"")"), "$.taskArn is empty; expected a text"},
        {with_task(R"("taskArn":")" + std::string(600, 'a') + "\""),
         "$.taskArn is 600 bytes long; expected at most 512"},
        {with_task(R"("desiredStatus":"DEAD")"),
         "$.desiredStatus is 'DEAD'; expected 'RUNNING' or 'STOPPED'"},
        {with_task(R"("networkMode":"host")"),
         "$.networkMode is 'host'; expected 'bridge', which is what containers get"},
        {with_task(R"("cpu":"256")"), "$.cpu is not supported here; leave it out"},
        {with_task(R"("pidMode":"host")"), "$.pidMode is not supported here; leave it out"},
        {with_task(R"("pullCredentials":{"a/b":{"username":"u","password":"p"}})"),
         "$.pullCredentials['a/b'] is of no registry; expected one as in 'registry.example:5000' or "
         "'docker.io'"},
        {with_task(R"("pullCredentials":{"r.example":{"username":"u"}})"),
         "$.pullCredentials['r.example'].password is missing; credentials has to have it"},
        {with_task(R"("pullCredentials":{"r":{"username":"u","password":"p","email":"e"}})"),
         "$.pullCredentials.r.email is no field of credentials"},
        {with_task(R"("overrides":{"containerOverrides":[{"name":"x"}]})"),
         "$.overrides.containerOverrides[0].name names container 'x', which is not in this task"},
        // Volumes.
        {with_task(R"("volumes":{})"), "$.volumes is an object; expected an array"},
        {with_task(R"("volumes":[{}])"), "$.volumes[0].name is missing; a volume has to have it"},
        {with_task(R"("volumes":[{"name":"v"},{"name":"v"}])"),
         "$.volumes[1].name is 'v', as another volume's"},
        {with_task(R"("volumes":[{"name":"v","host":{"sourcePath":"x"}}])"),
         "$.volumes[0].host.sourcePath is 'x'; expected an absolute path"},
        {with_task(R"("volumes":[{"name":"v","host":{"sourcePath":"/a/../b"}}])"),
         "$.volumes[0].host.sourcePath is '/a/../b'; expected a path without '..'"},
        {with_task(R"("volumes":[{"name":"v","efsVolumeConfiguration":{"fileSystemId":"x"}}])"),
         "$.volumes[0].efsVolumeConfiguration is not supported here; leave it out"},
        // Containers.
        {R"({"family":"f","containerDefinitions":[]})",
         "$.containerDefinitions is empty; a task has at least one container"},
        {R"({"family":"f","containerDefinitions":["a"]})",
         c0 + " is a string; expected an object: a container"},
        {R"({"family":"f","containerDefinitions":[{"image":"i"}]})",
         c0 + ".name is missing; a container has to have it"},
        {R"({"family":"f","containerDefinitions":[{"name":"a"}]})",
         c0 + ".image is missing; a container has to have it"},
        {R"({"family":"f","containerDefinitions":[{"name":"a","image":"i"},{"name":"a","image":"i"}]})",
         c1 + ".name is 'a', as another container's"},
        {R"({"family":"f","containerDefinitions":[{"name":"a/b","image":"i"}]})",
         c0 + ".name is 'a/b'" + name},
        {R"({"family":"f","containerDefinitions":[{"name":"a","image":"i i"}]})",
         c0 + ".image is no image's name; expected one as in 'busybox', 'registry.example:5000/web:1.2' or "
              "'web@sha256:…'"},
        {with_container(R"("essential":"yes")"), c0 + ".essential is a string; expected true or false"},
        {with_container(R"("essential":false)"),
         "$.containerDefinitions has no essential container; at least one has to be"},
        {with_container(R"("memory":2)"), c0 + ".memory is 2; expected an integer, 4 to 16777216"},
        {with_container(R"("memory":8,"memoryReservation":16)"),
         c0 + ".memoryReservation is more than 'memory'"},
        {with_container(R"("cpu":-1)"), c0 + ".cpu is -1; expected an integer, 0 to 262144"},
        {with_container(R"("stopTimeout":4000)"),
         c0 + ".stopTimeout is 4000; expected an integer, 0 to 3600"},
        {with_container(R"("command":"true")"), c0 + ".command is a string; expected an array"},
        {with_container(R"("command":[1])"), c0 + ".command[0] is a number; expected a string"},
        {with_container(R"("entrypoint":[])"),
         c0 + ".entrypoint is no field of a container; expected 'entryPoint'"},
        {with_container(R"("environment":[{"value":"1"}])"),
         c0 + ".environment[0].name is missing; a variable has to have it"},
        {with_container(R"("environment":[{"name":"A=B"}])"),
         c0 + ".environment[0].name is 'A=B'; expected the name of a variable, without '='"},
        {with_container(R"("environment":[{"name":"A"},{"name":"A"}])"),
         c0 + ".environment[1].name gives 'A' a second value"},
        {with_container(R"("environment":{"A":1})"), c0 + ".environment.A is a number; expected a string"},
        {with_container(R"("dockerLabels":{"org.shorewatch.task-arn":"x"})"),
         c0 + ".dockerLabels['org.shorewatch.task-arn'] has a name that only Shorewatch gives"},
        {with_container(R"("portMappings":[{}])"),
         c0 + ".portMappings[0].containerPort is missing; a port mapping has to have it"},
        {with_container(R"("portMappings":[{"containerPort":0}])"),
         c0 + ".portMappings[0].containerPort is 0; expected an integer, 1 to 65535"},
        {with_container(R"("portMappings":[{"containerPort":1,"protocol":"sctp"}])"),
         c0 + ".portMappings[0].protocol is 'sctp'; expected 'tcp' or 'udp'"},
        {with_container(
             R"("portMappings":[{"containerPort":1,"hostPort":2},{"containerPort":3,"hostPort":2}])"),
         "$.containerDefinitions maps port 2 of the host twice"},
        {with_container(R"("mountPoints":[{"sourceVolume":"v","containerPath":"/v"}])"),
         c0 + ".mountPoints[0].sourceVolume names volume 'v', which is not in this task"},
        {with_container(R"("logConfiguration":{"logDriver":"awslogs"})"),
         c0 + ".logConfiguration is not supported here; leave it out"},
        {with_container(R"("privileged":true)"), c0 + ".privileged is not supported here; leave it out"},
        {with_container(R"("healthCheck":{"command":["x"]})"),
         c0 + ".healthCheck is not supported here; leave it out"},
        // What they are to each other.
        {with_second(R"("links":["c"])"), c1 + ".links[0] names container 'c', which is not in this task"},
        {with_second(R"("links":["b"])"), c1 + ".links[0] names the container itself"},
        {with_second(R"("links":["a:"])"),
         c1 + ".links[0] is no link; expected 'container' or 'container:alias'"},
        {with_second(R"("links":["a:x","a:x"])"), c1 + ".links[1] gives a name that is given already"},
        {with_second(R"("volumesFrom":[{"sourceContainer":"c"}])"),
         c1 + ".volumesFrom[0].sourceContainer names container 'c', which is not in this task"},
        {with_second(R"("volumesFrom":[{}])"),
         c1 + ".volumesFrom[0].sourceContainer is missing; an entry of volumesFrom has to have it"},
        {with_second(R"("runDependencies":["c"])"),
         c1 + ".runDependencies[0] names container 'c', which is not in this task"},
        {with_second(R"("dependsOn":[{"containerName":"a","condition":"HEALTHY"}])"),
         c1 + ".dependsOn[0].condition is 'HEALTHY'; health checks are not supported here"},
        {with_second(R"("dependsOn":[{"containerName":"a","condition":"start"}])"),
         c1 + ".dependsOn[0].condition is 'start'; expected 'START', 'COMPLETE' or 'SUCCESS'"},
        {with_second(R"("dependsOn":[{"containerName":"a"}])"),
         c1 + ".dependsOn[0].condition is missing; a dependency has to have it"},
        {with_second(R"("dependsOn":[{"containerName":"a","condition":"COMPLETE"}])"),
         "$.containerDefinitions has container 'b' wait for the end of 'a', which is essential: its end "
         "stops the "
         "task"},
        {with_second(R"("links":["a"],"dependsOn":[{"containerName":"a","condition":"COMPLETE"}])",
                     R"(,"essential":false)"),
         "$.containerDefinitions has container 'b' wait for 'a' both to run and to have ended"},
        {with_second(R"("links":["a"])", R"(,"runDependencies":["b"])"),
         "$.containerDefinitions has containers that wait for each other in a circle: a -> b -> a"},
    };
    CHECK(cases.size() >= 60);
    for (const Case& one : cases) {
        INFO(one.text.substr(0, 300));
        CHECK(error_of(one.text) == one.error);
    }
}

TEST_CASE("a circle among many is told by its path") {
    const std::string text = R"({"family":"f","containerDefinitions":[
        {"name":"a","image":"i"},
        {"name":"b","image":"i","links":["a"],"volumesFrom":[{"sourceContainer":"c"}]},
        {"name":"c","image":"i","dependsOn":[{"containerName":"d","condition":"START"}]},
        {"name":"d","image":"i","links":["a","b"]}]})";
    CHECK(error_of(text) ==
          "$.containerDefinitions has containers that wait for each other in a circle: b -> c -> d -> b");
}

TEST_CASE("a chain as long as a task may be is no circle") {
    std::string containers = R"({"name":"c0","image":"i"})";
    for (std::size_t index = 1; index < most_task_containers; ++index) {
        containers += R"(,{"name":"c)" + std::to_string(index) + R"(","image":"i","links":["c)" +
                      std::to_string(index - 1) + "\"]}";
    }
    CHECK(error_of(R"({"family":"f","containerDefinitions":[)" + containers + "]}") == "no error");
    containers += R"(,{"name":"x","image":"i"})";
    CHECK(error_of(R"({"family":"f","containerDefinitions":[)" + containers + "]}") ==
          "$.containerDefinitions has 65 elements; expected at most 64");
}

TEST_CASE("no mistake shows a password") {
    for (const std::string password : {R"("secret\u0000")", R"(["secret"])", R"({"secret":1})"}) {
        const std::string error =
            error_of(with_task(R"("pullCredentials":{"r":{"username":"u","password":)" + password + "}}"));
        CHECK(error.starts_with("$.pullCredentials.r.password "));
        CHECK(error.find("secret") == std::string::npos);
    }
}
