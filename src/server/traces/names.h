/* names.h - whose a line is: which device was last seen at which address. The newest push out the oldest. */
#pragma once

#include "base/address.h"

struct trace_names;

struct trace_names *trace_names_new(void); /* NULL without memory; free() */
/* Port 0: the device has the whole address. */
void trace_names_learn(struct trace_names *n, const struct endpoint *at, struct device_name device);
struct device_name trace_names_find(const struct trace_names *n, const struct endpoint *at); /* or empty */
