// The addresses of network namespaces.
#pragma once

#include <cstddef>
#include <exception>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "engines/support/event_loop.h"
#include "engines/support/unique_fd.h"

namespace shorewatch {

// An interface's name and one of its addresses with the prefix: "eth0", "172.17.0.2/16".
using InterfaceAddress = std::pair<std::string, std::string>;

// Lists them as the kernel does (rtnetlink(7)), each time in a thread that enters the namespace and ends in
// it: the kernel has one lock for the network settings of all namespaces, which may be taken for a while.
class AddressReader {
  public:
    // Either the addresses of all interfaces, loopback included; or a std::system_error: the namespace may
    // not be entered (CAP_SYS_ADMIN in it), or there is no memory.
    using Reply =
        std::function<void(const std::vector<InterfaceAddress>& addresses, std::exception_ptr failure)>;

    // Under way at the same time.
    static constexpr std::size_t most = 32;

    explicit AddressReader(EventLoop& loop);
    AddressReader(const AddressReader&) = delete;
    AddressReader& operator=(const AddressReader&) = delete;
    // Waits for the threads; calls nobody back.
    ~AddressReader();

    // reply is called on loop. False: too many are under way. Throws std::system_error when there is no
    // thread to be had.
    [[nodiscard]] bool read(UniqueFd network_namespace, Reply reply);

  private:
    struct Visit;

    void finish(std::list<std::unique_ptr<Visit>>::iterator visit);

    EventLoop& loop_;
    std::list<std::unique_ptr<Visit>> visits_;
    std::shared_ptr<int> alive_ = std::make_shared<int>();
};

}  // namespace shorewatch
