// Result and Error are part of the public interface; inside, they are a base type like any other.
#pragma once

#include "heft/result.h"
