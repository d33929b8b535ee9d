// The rows of each API.
#pragma once

#include <span>

#include "conform/case.h"

namespace heft::conform {

const Api& openai_api();
const Api& responses_api();
const Api& anthropic_api();
const Api& ollama_api();
const Api& llama_api();

}  // namespace heft::conform
