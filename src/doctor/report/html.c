#include "doctor/report/html.h"

#include "base/markup.h"

void html_text(struct grow *to, struct text t)
{
    static const struct text replacement = {"\xef\xbf\xbd", 3};

    while (t.len)
        grow_text(to, markup_next(&t, replacement, replacement));
}

void html_string(struct grow *to, const char *s)
{
    html_text(to, text_of(s));
}
