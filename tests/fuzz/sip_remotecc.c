/* sip_remotecc.c - Cisco's bodies: an offer and the answer to it, orders, reasons. */
#include <stdlib.h>

#include "wire/sip/remotecc.h"
#include "wire/sip/service_control.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void must(bool truth)
{
    if (!truth)
        abort();
}

static int read_body(const char *type, struct text body, struct remotecc_offer *o)
{
    static struct sip_row row;
    struct sip_message m = {.body = body, .n_rows = 1};

    row = (struct sip_row){.value = text_of(type), .id = SIP_CONTENT_TYPE};
    m.rows[0] = row;
    m.first[SIP_CONTENT_TYPE] = 1;
    return remotecc_read_offer(&m, o);
}

static void offer(struct text t)
{
    char out[REMOTECC_ANSWER_MAX];
    struct writer w = writer_of(out, sizeof(out));
    struct remotecc_offer o, again;

    if (read_body("application/x-cisco-remotecc-request+xml", t, &o) < 0)
        return;
    must(o.combine <= REMOTECC_COMBINE_MAX);
    remotecc_write_answer(&w, &o);
    must(!w.bad);
    must(read_body("application/x-cisco-remotecc-response+xml", (struct text){out, writer_len(&w)},
                   &again) == 0);
    must(again.code == 200 && again.options == o.options);
}

static void order(struct text t)
{
    static uint8_t out[1 << 18];
    struct writer w = writer_of(out, sizeof(out));
    struct service_control c, again;

    if (service_control_read(t, &c) < 0)
        return;
    service_control_write(&w, &c);
    must(!w.bad);
    must(service_control_read((struct text){(const char *)out, writer_len(&w)}, &again) == 0);
    must(text_equal(again.action, c.action) && text_equal(again.call_id, c.call_id));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct text t = {(const char *)bytes, len}, value;
    struct remotecc_offer o;
    struct cisco_reason r;

    if (len > 1 << 16)
        return 0;
    offer(t);
    order(t);
    read_body("multipart/mixed;boundary=uniqueBoundary", t, &o);
    if (remotecc_value(t, "statuslineupdatereq/statustext", &value))
        must(value.len < len);
    if (cisco_reason_read(t, &r) == 0)
        must(r.words.len <= len && (!r.last.at || r.last.len <= len));
    return 0;
}
