/* Jobs that failed or wait after a failure, as text. */
#ifndef TONICFS_CLI_PROBLEMS_H
#define TONICFS_CLI_PROBLEMS_H

#include <stdio.h>

#include "view/problems.h"

void problems_print(const struct view_problems *problems, FILE *out);

#endif
