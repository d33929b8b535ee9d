// Embeddings, computed between two steps of the scheduler.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "serve/request.h"
#include "serve/service.h"

namespace heft::serve {

struct Embedded {
    std::string model;
    std::vector<std::vector<float>> vectors;  // one for each input
    int n_prompt = 0;
    double load_s = 0, total_s = 0;
    std::vector<std::string> degraded;
};

// Calls one of the two once: at once or from another thread. Stops early when the client has gone.
void embed(Service& service, EmbeddingRequest request, std::shared_ptr<Responder> responder,
           std::function<void(const Embedded&)> done, std::function<void(const Failure&)> failed);

}  // namespace heft::serve
