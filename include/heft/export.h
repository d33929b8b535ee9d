#pragma once

// The library is built with everything else hidden.
#define HEFT_EXPORT __attribute__((visibility("default")))
