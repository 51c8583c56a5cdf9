/* learn.h - `dialtone lab learn`: a fault is made and hidden; the learner looks at the captures and
 * names the cause. */
#pragma once

#include "lab/faults/faults.h"

/* `which`: the name of a fault, its number from 1, or NULL: one at random. Questions go to standard
 * output, answers come from standard input. 0: named; 1: given up; 2: no such fault; else it could
 * not be made, which was told. */
int learn_run(const char *which, const struct lab_order *order, const char *language);
