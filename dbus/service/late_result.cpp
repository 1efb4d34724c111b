#include "dbus/service/late_result.h"

#include <cstdint>
#include <utility>

namespace shorewatch::bus {

LateReply::LateReply(const HandledCall& call)
    : call_(sd_bus_message_ref(call.message)), content_(unsent_message(call.object)) {}

SdMessage LateReply::twin() const {
    sd_bus_message* made = nullptr;
    const int status = sd_bus_message_new_method_call(
        sd_bus_message_get_bus(call_.get()), &made, nullptr, sd_bus_message_get_path(call_.get()),
        sd_bus_message_get_interface(call_.get()), sd_bus_message_get_member(call_.get()));
    SdMessage twin(made);
    require_done(status, "cannot make an answer");
    std::uint64_t number = 0;
    require_done(sd_bus_message_get_cookie(call_.get(), &number), "cannot read the number of a call");
    require_done(sd_bus_message_set_sender(twin.get(), sd_bus_message_get_sender(call_.get())),
                 "cannot address an answer");
    require_done(sd_bus_message_seal(twin.get(), number, 0), "cannot number an answer");
    return twin;
}

void LateReply::send() const {
    if (sd_bus_message_get_expect_reply(call_.get()) <= 0) return;
    const SdMessage call = twin();
    sd_bus_message* made = nullptr;
    const int status = sd_bus_message_new_method_return(call.get(), &made);
    const SdMessage reply(made);
    require_done(status, "cannot make an answer");
    sd_bus_message* const content = raw_message(content_);
    // What is copied has to be complete; its number is of no matter.
    require_done(sd_bus_message_seal(content, 1, 0), "cannot complete an answer");
    require_done(sd_bus_message_rewind(content, 1), "cannot read an answer");
    require_done(sd_bus_message_copy(reply.get(), content, 1), "cannot fill an answer");
    require_done(sd_bus_send(nullptr, reply.get(), nullptr), "cannot send an answer");
}

void LateReply::refuse(const sdbus::Error& error) const {
    if (sd_bus_message_get_expect_reply(call_.get()) <= 0) return;
    const SdMessage call = twin();
    sd_bus_message* made = nullptr;
    const int status = sd_bus_message_new_method_errorf(call.get(), &made, error.getName().c_str(), "%s",
                                                        error.getMessage().c_str());
    const SdMessage reply(made);
    require_done(status, "cannot make an error");
    require_done(sd_bus_send(nullptr, reply.get(), nullptr), "cannot send an error");
}

}  // namespace shorewatch::bus
