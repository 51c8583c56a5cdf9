/* dump.c - SIP messages for people. */
#include "wire/sip/dump.h"

static bool is_fold(char c)
{
    return c == '\r' || c == '\n';
}

static void dump_text(struct writer *w, struct text t)
{
    while (t.len) {
        size_t n = 1;

        if (is_fold(t.at[0])) {
            while (n < t.len && (is_fold(t.at[n]) || t.at[n] == ' ' || t.at[n] == '\t'))
                n++;
            write_u8(w, ' ');
        } else if ((uint8_t)t.at[0] < ' ' || t.at[0] == 127) {
            write_format(w, "\\x%02x", (uint8_t)t.at[0]);
        } else if ((uint8_t)t.at[0] < 128) {
            write_u8(w, (uint8_t)t.at[0]);
        } else {
            for (n = 4; n > 1 && (n > t.len || !text_utf8_valid((struct text){t.at, n})); n--)
                ;
            if (n > 1)
                write_bytes(w, t.at, n);
            else
                write_format(w, "\\x%02x", (uint8_t)t.at[0]);
        }
        t = text_skip(t, n);
    }
}

static void dump_field(struct writer *w, const char *name, struct text value)
{
    if (!value.at)
        return;
    write_string(w, name);
    dump_text(w, value);
}

static void dump_address(struct writer *w, const char *name, const struct sip_address *a,
                         struct text tag)
{
    if (!a->uri.at)
        return;
    dump_field(w, name, a->uri);
    if (a->display.len)
        dump_field(w, " display=", a->display);
    dump_field(w, " tag=", tag);
    write_u8(w, '\n');
}

static void dump_via(struct writer *w, const struct sip_via *v)
{
    dump_field(w, "  via ", v->transport);
    dump_field(w, " host=", v->host);
    if (v->port)
        write_format(w, " port=%u", v->port);
    dump_field(w, " branch=", v->branch);
    dump_field(w, " received=", v->received);
    write_string(w, v->rport ? " rport\n" : "\n");
}

static void dump_target(struct writer *w, const struct sip_uri *u)
{
    static const char *const schemes[] = {"other", "sip", "sips", "tel"};

    if (!u->all.at)
        return;
    write_format(w, "  target %s", schemes[u->scheme]);
    if (u->user.len)
        dump_field(w, " user=", u->user);
    if (u->host.len)
        dump_field(w, " host=", u->host);
    if (u->port)
        write_format(w, " port=%u", u->port);
    if (u->parameters.len)
        dump_field(w, " parameters=", u->parameters);
    write_u8(w, '\n');
}

void sip_dump(const struct sip_message *m, struct writer *w)
{
    if (m->status) {
        write_format(w, "response %u ", m->status);
        dump_text(w, m->reason);
    } else {
        dump_field(w, "request ", m->method_name);
        dump_field(w, " ", m->uri);
    }
    write_u8(w, '\n');
    if (m->problem)
        write_format(w, "  problem %u %s\n", m->problem, m->words);
    dump_target(w, &m->target);
    dump_via(w, &m->via);
    dump_address(w, "  from ", &m->from, m->from_tag);
    dump_address(w, "  to ", &m->to, m->to_tag);
    write_format(w, "  cseq %u ", m->cseq);
    dump_text(w, m->method_name);
    write_u8(w, '\n');
    for (unsigned i = 0; i < m->n_rows; i++) {
        const struct sip_row *row = &m->rows[i];

        dump_field(w, "  | ",
                   row->id == SIP_OTHER ? row->name
                                        : text_of(sip_header_name((enum sip_header_id)row->id)));
        dump_field(w, ": ", row->value);
        write_u8(w, '\n');
    }
    write_format(w, "  body %zu bytes\n", m->body.len);
}
