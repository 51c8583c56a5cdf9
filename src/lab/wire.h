/* wire.h - a wire that is slow: carries frames between two interfaces, late, in order. For kernels without netem. */
#pragma once

/* Runs until it is ended by a signal; 1 after a message when an interface cannot be opened. Each way a frame takes
 * `delay_ms`; what comes while 8 MB are under way is lost, as in a real queue. */
int wire_run(const char *a, const char *b, unsigned delay_ms);
