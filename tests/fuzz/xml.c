/* xml.c - what is read is written again, and must then be well-formed. */
#include <stdlib.h>

#include "wire/xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static char out[1 << 20];
static struct writer to;

static int copy(void *context, const struct xml_event *e)
{
    struct xml_writer *x = context;

    if (e->kind == XML_OPEN)
        xml_open(x, "e");
    else if (e->kind == XML_ATTRIBUTE)
        return 0;
    else {
        xml_text(x, e->value);
        xml_close(x);
    }
    return 0;
}

static int ignore(void *context, const struct xml_event *e)
{
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct xml_writer x;
    struct xml_error error;

    to = writer_of(out, sizeof(out));
    xml_begin(&x, &to);
    if (xml_read(bytes, len, copy, &x, &error) == 0 && !to.bad &&
        xml_read(out, writer_len(&to), ignore, NULL, &error) != 0)
        abort();
    return 0;
}
