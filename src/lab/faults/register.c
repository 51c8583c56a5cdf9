/* register.c - registrations that are refused, stay unanswered or do not last. */
#include <signal.h>
#include <string.h>

#include "lab/faults/faults.h"

static bool has_id(const struct packet *k, uint32_t id)
{
    struct reader r = reader_of(k->payload.at, k->payload.len);

    read_le32(&r);
    read_le32(&r);
    return k->kind == PACKET_TCP && (k->to.port == 2000 || k->from.port == 2000) &&
           read_le32(&r) == id && !r.bad;
}

static bool registers(const struct packet *k)
{
    return has_id(k, 0x0001) || text_starts(k->payload, "REGISTER ");
}

/* The process stands still, its kernel goes on acknowledging. */
static bool stop_server(struct rule *r, struct passing *p)
{
    lab_stop_server(r->context, true);
    p->delay_ms += 80; /* a process stops a little after it is told to */
    return true;
}

void fault_register_no_answer(struct lab_play *p, enum lab_moment moment)
{
    if (moment == LAB_WIRED)
        LAB_RULE(p, .act = stop_server, .side = SIDE_PHONE, .fits = registers, .context = p);
}

void fault_rejected_type(struct lab_play *p, enum lab_moment moment)
{
    if (moment == LAB_BEFORE)
        p->configured = strcmp(p->model, "7975") == 0 ? "7961" : "7975";
}

void fault_rejected_version(struct lab_play *p, enum lab_moment moment)
{
    if (moment != LAB_BEFORE)
        return;
    p->phone->model = p->configured = "7960"; /* speaks an older one */
    lab_parameter(p, "minimum_protocol_version=22");
}

/* A softphone with the wrong password of its user. */
static void softphone(struct lab_play *p, const char *password)
{
    const char *words[] = {"--server",   LAB_ADDRESS, "--user",    "alice",
                           "--password", password,    "--no-files"};

    p->protocol = p->phone->protocol = "sip";
    p->phone->model = "third-party";
    p->configured = "third-party-basic";
    p->phone->typed_address = true;
    p->user = "alice";
    p->fields[0] = "owner=alice";
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
        lab_option(p, words[i]);
}

void fault_authentication(struct lab_play *p, enum lab_moment moment)
{
    if (moment == LAB_BEFORE)
        softphone(p, "wrong");
}

void fault_register_incomplete(struct lab_play *p, enum lab_moment moment)
{
    if (moment == LAB_BEFORE) {
        lab_option(p, "--fault");
        lab_option(p, "no-capabilities");
    }
}

void fault_restart_loop(struct lab_play *p, enum lab_moment moment)
{
    if (moment == LAB_BEFORE) {
        lab_option(p, "--fault");
        lab_option(p, "flap");
    }
}

void fault_reset_by_server(struct lab_play *p, enum lab_moment moment)
{
    if (moment == LAB_REGISTERED)
        stage_expect(&p->stage,
                     office_do(&p->stage.office, "phone", "reset", p->phone->name.s, NULL) == 0,
                     "the administrator resets the phone");
}

/* -- SIP: what a server of another make may answer ------------------------------------------ */

/* Replaces letters of a message by as many others. */
static bool replace(struct passing *p, const char *what, const char *with)
{
    size_t at = (size_t)((const uint8_t *)p->packet.payload.at - p->frame);
    uint8_t *found = memmem(p->frame + at, p->packet.payload.len, what, strlen(what));

    if (found) {
        memcpy(found, with, strlen(with));
        frame_seal(p->frame, p->len);
    }
    return true;
}

static bool shorten_expires(struct rule *r, struct passing *p)
{
    return replace(p, "\r\nExpires: 120", "\r\nExpires: 000") &&
           replace(p, "expires=120", "expires=000");
}

void fault_expires_wrong(struct lab_play *p, enum lab_moment moment)
{
    if (moment == LAB_BEFORE)
        p->protocol = p->phone->protocol = "sip";
    if (moment == LAB_WIRED)
        LAB_RULE(p, .act = shorten_expires, .side = SIDE_SERVER, .contains = "SIP/2.0 200");
}

/* -- refusals of other kinds ---------------------------------------------------------------- */

static void without_files(struct lab_play *p)
{
    lab_option(p, "--server");
    lab_option(p, LAB_ADDRESS);
    lab_option(p, "--no-files");
    p->phone->typed_address = true;
}

void fault_rejected_unknown(struct lab_play *p, enum lab_moment moment)
{
    if (moment != LAB_BEFORE)
        return;
    without_files(p);
    p->configured = NULL;
}

/* Another phone was there before, and there is one place. */
void fault_rejected_full(struct lab_play *p, enum lab_moment moment)
{
    struct stage_phone *other;

    if (moment == LAB_BEFORE)
        lab_parameter(p, "max_registered_devices=1");
    if (moment != LAB_WIRED || !(other = stage_add_phone(&p->stage, "7960", "sccp")))
        return;
    office_do(&p->stage.office, "phone", "add", other->name.s, "model=7960", "lines=7002", NULL);
    stage_power(&p->stage, other, true);
    stage_wait_status(&p->stage, other, "registered", 60000);
}

/* The 7931G came with release 6. */
void fault_rejected_other(struct lab_play *p, enum lab_moment moment)
{
    if (moment != LAB_BEFORE)
        return;
    p->phone->model = p->configured = "7931G";
    lab_parameter(p, "cluster_release=4");
}

/* What servers of other makes say: written over the text of our own refusal, a field of 33 bytes.
 */
static bool say_instead(struct rule *r, struct passing *p)
{
    return replace(p, "Error: DB Config", r->context);
}

static void refuse_with(struct lab_play *p, enum lab_moment moment, const char *text)
{
    fault_rejected_unknown(p, moment);
    if (moment == LAB_WIRED)
        LAB_RULE(p, .act = say_instead, .side = SIDE_SERVER, .contains = "Error: DB Config",
                 .context = (char *)(uintptr_t)text);
}

void fault_rejected_duplicate(struct lab_play *p, enum lab_moment moment)
{
    refuse_with(p, moment, "Crossover session");
}

void fault_rejected_reason(struct lab_play *p, enum lab_moment moment)
{
    refuse_with(p, moment, "Reload in progress");
}

static bool refuse_line(struct rule *r, struct passing *p)
{
    return replace(p, "SIP/2.0 200 OK", "SIP/2.0 404 No");
}

static bool is_second_line(const struct packet *k)
{
    return text_contains_nocase(k->payload, TEXT("SIP/2.0 200 OK")) &&
           text_contains_nocase(k->payload, TEXT("REGISTER")) &&
           text_contains_nocase(k->payload, TEXT("sip:7002@"));
}

void fault_lines_partial(struct lab_play *p, enum lab_moment moment)
{
    if (moment == LAB_BEFORE) {
        p->protocol = p->phone->protocol = "sip";
        p->phone->model = p->configured = "7960"; /* registers line by line */
        p->number_of_lines = "7001;7002";
    }
    if (moment == LAB_WIRED)
        LAB_RULE(p, .act = refuse_line, .side = SIDE_SERVER, .fits = is_second_line);
}

/* The server's stamp is never that of the file which the phone has. */
static bool age_stamp(struct rule *r, struct passing *p)
{
    const char *at =
        memmem(p->packet.payload.at, p->packet.payload.len, r->contains, strlen(r->contains));
    size_t digit = (size_t)((const uint8_t *)at - p->frame) + strlen(r->contains);

    while (digit < p->len && !(p->frame[digit] >= '0' && p->frame[digit] <= '9'))
        digit++;
    if (digit < p->len)
        p->frame[digit] = p->frame[digit] == '9' ? '8' : p->frame[digit] + 1;
    frame_seal(p->frame, p->len);
    return true;
}

void fault_version_stamps(struct lab_play *p, enum lab_moment moment)
{
    if (moment == LAB_BEFORE)
        p->protocol = p->phone->protocol = "sip";
    if (moment == LAB_WIRED)
        LAB_RULE(p, .act = age_stamp, .side = SIDE_SERVER, .contains = "ConfigVersionStamp={",
                 .times = 6);
}

void fault_left_by_itself(struct lab_play *p, enum lab_moment moment)
{
    if (moment == LAB_REGISTERED)
        kill(p->phone->process.pid, SIGTERM); /* it unregisters, then it ends */
}
