// A fake Docker engine: a real HTTP server in a thread of its own, with containers that a test acts on.
//
//     FakeDocker engine;
//     const auto web = engine.start({.name = "web"});
//     engine.die(web, 7);
//
// Every member may be called by any thread, behaviours' hooks on the engine's own included. What a test does
// is what a client sees from then on: verbs that act on the whole engine return when they have taken effect.
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engines/endpoint.h"
#include "tests/fakes/behaviour.h"
#include "tests/fakes/docker_json.h"
#include "tests/fakes/docker_model.h"
#include "tests/fakes/drive.h"
#include "tests/fakes/observations.h"

namespace shorewatch::fakes {

// How the events of an act reach the streams.
enum class Tell { once, twice, never };

class DockerServer;

class FakeDocker {
  public:
    enum class Transport { unix_socket, tcp };

    struct Options {
        Transport transport = Transport::unix_socket;
        std::optional<ServerCertificate> tls = {};  // tcp only
        EngineFacts facts = {};
    };

    FakeDocker();
    explicit FakeDocker(Options options);
    ~FakeDocker();
    FakeDocker(const FakeDocker&) = delete;
    FakeDocker& operator=(const FakeDocker&) = delete;

    // Where it listens: a socket in a folder of its own, or a free port of 127.0.0.1. For a TLS server the
    // client's files are still to be filled in.
    [[nodiscard]] Endpoint endpoint() const;
    // Of a unix socket. Its folder holds nothing else and goes with the engine.
    [[nodiscard]] std::filesystem::path socket() const;

    // Containers. Ids are full ids. Each act is dockerd's, with dockerd's events in dockerd's order
    // (DockerModel); what dockerd would refuse throws std::logic_error.
    std::string create(ContainerSpec spec, Tell tell = Tell::once);
    std::string start(ContainerSpec spec, Tell tell = Tell::once);  // creates and starts it, as `docker run`
    // A template only so that {.name = …} can mean nothing but a ContainerSpec.
    void start(const std::same_as<std::string> auto& id, Tell tell = Tell::once) { start_again(id, tell); }
    // Its next run has this pid.
    void start_as(std::uint32_t pid, const std::string& id, Tell tell = Tell::once);
    void die(const std::string& id, int exit_code = 0, Tell tell = Tell::once);
    void die_to_restart(const std::string& id, int exit_code, Tell tell = Tell::once);
    void kill(const std::string& id, int signal, Tell tell = Tell::once);  // no death by itself, as of SIGHUP
    void stop(const std::string& id, int exit_code = 0, Tell tell = Tell::once);
    void restart(const std::string& id, int exit_code = 0, Tell tell = Tell::once);
    void pause(const std::string& id, Tell tell = Tell::once);
    void unpause(const std::string& id, Tell tell = Tell::once);
    void rename(const std::string& id, const std::string& new_name, Tell tell = Tell::once);
    void oom(const std::string& id, Tell tell = Tell::once);
    void remove(const std::string& id, Tell tell = Tell::once);  // as `docker rm -f`
    void exec(const std::string& id, const std::string& command, int exit_code = 0, Tell tell = Tell::once);
    void probe_health(const std::string& id, Tell tell = Tell::once);

    // A copy of a container, for what the test wants to compare. Throws std::logic_error when there is none.
    [[nodiscard]] FakeContainer container(const std::string& id) const;
    // The pid of its latest run.
    [[nodiscard]] std::uint32_t pid(const std::string& id) const { return container(id).runs.back().pid; }
    // Ids of all that `docker ps` lists, sorted.
    [[nodiscard]] std::vector<std::string> listed() const;

    // Events made from now on are held back: in no stream and no replay.
    void hold_events();
    [[nodiscard]] std::vector<DockerEvent> held_events() const;
    // Lets go one held event, by its place among those held; all, in their order; all, in this order of their
    // places. After the latter two events are no longer held back.
    void release_event(std::size_t place);
    void release_events();
    void release_events(const std::vector<std::size_t>& order);

    // An event that no container made, into the streams and the replay; its time is set when it has none.
    void emit(DockerEvent event);
    // Text into all streams that stand: as a chunk of its own, and as bytes that no chunk holds. Never
    // replayed.
    void stream_text(std::string text);
    void stream_bytes(std::string bytes);
    // Ends the streams in good order, with the last chunk; cuts their connections.
    void end_streams();
    void cut_streams();

    // What is done with requests of a kind, from now on, beside what dockerd does.
    void when(Request kind, Behaviour behaviour);
    // Back to dockerd's ways. Requests under way keep theirs.
    void behave();

    // The engine as a process. A killed one leaves its socket file behind, one that shuts down removes it;
    // both lose their connections and the events that could be replayed, and their containers live on
    // (live-restore): acts on them meanwhile are told to nobody.
    void kill_engine();
    void shut_down();
    // Listens again after any of these, at the same place.
    void come_back();
    // Its connections go, and it goes on.
    void drop_connections();
    // New connections are refused, the old ones stay.
    void stop_listening();
    // New connections find no socket, the old ones stay. come_back() makes a new one.
    void remove_socket();
    // shut_down(), and a folder where the socket was.
    void put_folder_in_place();
    void set_socket_mode(std::filesystem::perms mode);
    // As under SIGSTOP: connections are still made, by the kernel, and nothing is read or answered.
    void freeze();
    void thaw();

    // What it says of itself, from the next answer on.
    void set_facts(EngineFacts facts);
    void set_clock_offset(std::chrono::nanoseconds offset);

    [[nodiscard]] Seen seen() const;
    // The same without a copy of it all: does this hold of what was seen?
    [[nodiscard]] bool has_seen(const std::function<bool(const Seen&)>& happened) const;
    // Waits until it holds; false when it doesn't come to that.
    [[nodiscard]] bool wait_until(const std::function<bool(const Seen&)>& happened,
                                  Clock::duration limit = patience) const;
    // From now on loop wakes whenever what is seen changes, so that drive() looks again. It must outlive the
    // engine.
    void wakes(EventLoop& loop);

  private:
    void start_again(const std::string& id, Tell tell);
    void act(Tell tell, const std::function<DockerModel::Events(DockerModel&)>& act);

    std::unique_ptr<DockerServer> server_;
};

}  // namespace shorewatch::fakes
