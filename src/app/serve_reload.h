// Reading the configuration again while the server runs.
#pragma once

#include "app/serve_flags.h"
#include "net/server.h"
#include "serve/access_log.h"
#include "serve/front.h"
#include "serve/keys.h"
#include "serve/metrics.h"
#include "serve/models.h"

namespace heft::app {

struct RunningServer {
    ServeSettings settings;  // in force
    serve::Keys& keys;
    serve::Metrics& metrics;
    serve::AccessLog& log;
    serve::Models& models;
    serve::Front& front;
    net::Server& server;
};

// Puts into force what the file, the keys, the certificate and the flags say now. All of it is
// checked first: an error changes nothing. What cannot change while the server runs is told.
void reload(const ServeFlags& flags, RunningServer& running);

}  // namespace heft::app
