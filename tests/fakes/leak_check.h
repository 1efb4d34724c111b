// Nothing stays behind: the descriptors and threads of this process, before and after.
#pragma once

#include <set>
#include <string>

namespace shorewatch::fakes {

// Declare it before everything it is to judge, so that it is destroyed last; it then fails the running test
// if there is a descriptor or a thread that was not there before.
class LeakCheck {
  public:
    LeakCheck();
    ~LeakCheck();
    LeakCheck(const LeakCheck&) = delete;
    LeakCheck& operator=(const LeakCheck&) = delete;

  private:
    std::set<std::string> descriptors_;  // "7 socket:[1234]"
    std::set<std::string> threads_;
    int exceptions_;
};

}  // namespace shorewatch::fakes
