/* markup.h - texts for XML and HTML: the one place that knows what must be written otherwise. */
#pragma once

#include "base/text.h"

/* The next piece of `rest` as it may stand in a document, taken off it: text that needs nothing, a reference ("&lt;"), `control` in
 * the place of a control character (lines and tabs stay), or `broken` in that of a byte that is not UTF-8. */
struct text markup_next(struct text *rest, struct text control, struct text broken);
