/* sdp.c - session descriptions as read, and what a phone with G.722, G.711, G.729 and H.264
 * answers. */
#include "wire/sip/sdp.h"

#include "golden.h"

static const struct sdp_format audio[] = {
    {9, 1, 8000, TEXT("G722"), TEXT("")},
    {0, 1, 8000, TEXT("PCMU"), TEXT("")},
    {8, 1, 8000, TEXT("PCMA"), TEXT("")},
    {18, 1, 8000, TEXT("G729"), TEXT("annexb=no")},
    {101, 1, 8000, TEXT("telephone-event"), TEXT("0-15")},
};
static const struct sdp_format video[] = {
    {97, 1, 90000, TEXT("H264"), TEXT("profile-level-id=42801E")},
};
static const struct sdp_ability abilities[] = {
    {"audio", "RTP/AVP", 16384, SDP_SENDRECV, 20, 5, audio},
    {"video", "RTP/AVP", 16386, SDP_SENDRECV, 0, 1, video},
};

static void print_media(const struct sdp_media *m, struct writer *w)
{
    static const char *const directions[] = {"nothing", "sends", "receives", "sends and receives"};
    const struct sdp_format *codec = sdp_codec(m), *events = sdp_events(m);
    struct text label = sdp_attribute(m, "label");

    write_format(w, "# %.*s: peer %s", TEXT_ARG(m->type), directions[sdp_peer_direction(m)]);
    if (codec)
        write_format(w, ", codec %.*s", TEXT_ARG(codec->encoding));
    if (events)
        write_format(w, ", events %u", events->payload);
    if (label.at)
        write_format(w, ", label %.*s", TEXT_ARG(label));
    write_string(w, "\n");
}

static int print(const char *name, const uint8_t *bytes, size_t len, struct writer *w)
{
    struct sdp_local local = {.user = TEXT("Dialtone"),
                              .name = TEXT("SIP Call"),
                              .id = 1,
                              .version = 2,
                              .address = ip_v4(0x0a000001),
                              .n_abilities = 2,
                              .abilities = abilities};
    static struct sdp sdp, answer;

    if (sdp_parse((struct text){(const char *)bytes, len}, &sdp) < 0) {
        write_string(w, "malformed\n");
        return 0;
    }
    sdp_write(w, &sdp);
    for (uint8_t i = 0; i < sdp.n_media; i++)
        print_media(&sdp.media[i], w);
    write_string(w, sdp_answer(&sdp, &local, &answer) ? "# answer\n" : "# answer: 488\n");
    sdp_write(w, &answer);
    local.one_codec = true;
    sdp_answer(&sdp, &local, &answer);
    write_string(w, "# with one codec\n");
    for (uint8_t i = 0; i < answer.n_media; i++) {
        write_format(w, "# %.*s %u:", TEXT_ARG(answer.media[i].type), answer.media[i].port);
        for (uint8_t f = 0; f < answer.media[i].n_formats; f++)
            write_format(w, " %u", answer.media[i].formats[f].payload);
        write_string(w, "\n");
    }
    return 0;
}

int main(int argc, char **argv)
{
    return golden_run(argc, argv, print);
}
