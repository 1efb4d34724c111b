#include "dbus/service/service_context.h"

#include <unistd.h>

#include "dbus/service/errors.h"

namespace shorewatch::bus {

void require_authority(const ServiceContext& context, const sdbus::IObject& object, const char* doing) {
    const uid_t wanted = context.user ? geteuid() : 0;
    const uid_t sender = current_sender(object);
    if (sender == wanted) return;
    throw error(errors::access_denied, std::string("Only ") + (context.user ? "the same user" : "root") +
                                           " may " + doing + ", not uid " + std::to_string(sender));
}

}  // namespace shorewatch::bus
