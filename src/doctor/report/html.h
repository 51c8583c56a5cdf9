/* html.h - text inside HTML. Everything that comes from the network goes through html_text(). */
#pragma once

#include "base/grow.h"

/* Escaped for text and for attributes in double quotes; control characters and broken UTF-8 become
 * U+FFFD. */
void html_text(struct grow *to, struct text t);
void html_string(struct grow *to, const char *s);
