// Tells systemd how the server is (sd_notify(3)): one datagram to the socket that it names in
// NOTIFY_SOCKET. Without one, nothing happens.
#pragma once

#include <string_view>

namespace heft::app {

inline constexpr std::string_view kServiceReady = "READY=1\nSTATUS=serving";
inline constexpr std::string_view kServiceStopping = "STOPPING=1\nSTATUS=stopping";

void tell_service_manager(std::string_view state);

}  // namespace heft::app
