// Answers that are sent after their method has returned, when the object that was called may have gone.
//
// sd-bus checks an answer against the signature in the vtable by which the call came, to which the call keeps
// a pointer. sdbus-c++ (1.2 and 2.1) frees that with the object: an sdbus::Result that is kept for longer
// reads freed memory, and its answer may be lost. Hence none is kept here but the call itself, and what is
// answered is one like it that came by no vtable.
#pragma once

#include "dbus/compat/sd_bus.h"
#include "dbus/service/handled_call.h"

namespace shorewatch::bus {

// The answer to one call, whatever its values are.
class LateReply {
  public:
    // Throws sdbus::Error.
    explicit LateReply(const HandledCall& call);

    // What the values of the answer are written into.
    [[nodiscard]] sdbus::Signal content() const { return content_; }
    // Once, with all values written. Both throw sdbus::Error when the bus does not take the answer. Nothing
    // is sent where none is expected.
    void send() const;
    void refuse(const sdbus::Error& error) const;

  private:
    // A call of the same sender and number, and so with the same answer.
    [[nodiscard]] SdMessage twin() const;

    SdMessage call_;
    sdbus::Signal content_;
};

// In the place of an sdbus::Result; it must not outlive the connection either. Answers once.
template <typename... Values>
class LateResult {
  public:
    explicit LateResult(const HandledCall& call) : reply_(call) {}

    // NOLINTBEGIN(readability-identifier-naming): as sdbus::Result has them
    void returnResults(const Values&... values) const {
        [[maybe_unused]] sdbus::Signal content = reply_.content();
        (void)(content << ... << values);
        reply_.send();
    }
    void returnError(const sdbus::Error& error) const { reply_.refuse(error); }
    // NOLINTEND(readability-identifier-naming)

  private:
    LateReply reply_;
};

}  // namespace shorewatch::bus
