#pragma once

#include "model/batch.h"
#include "op/parallel.h"

namespace heft::model {

template <class Body>
void Batch::each_token(const Body& body) {
    op::for_each(context_, n_, [&](int t, int) { body(t); });
}

}  // namespace heft::model
