/* Jobs that failed or wait after a failure, as text. */
#pragma once

#include <stdio.h>

#include "view/problems.h"

void problems_print(const struct view_problems *problems, FILE *out);
