/* secrets.h - passwords that must not stand on the command line, where `ps` and the shell's history show them. */
#pragma once

#include <jansson.h>

/* Each secret field whose value is "-" is asked for: twice without echo on a terminal, else a line of standard
 * input. 0, or -EINVAL after a sentence on standard error. */
int secrets_ask(json_t *fields);
