/* pages.c - pages of the manual that are printed from the rows of state machines.
 *
 * Usage: golden_pages FOLDER [--update]: compares each page in the folder, or writes it again. */
#include <stdio.h>
#include <string.h>

#include "station/sccp/station.h"
#include "station/sip/station.h"
#include "wire/sip/transaction.h"

/* Of handset/sip/phone.h, which knows other effects than the stations. */
void sip_phone_print_moves(struct writer *w);

static const struct page {
    const char *file, *title, *source;
    void (*print)(struct writer *);
} pages[] = {
    {"sccp_states.md", "States of an SCCP station", "src/station/sccp/station.c",
     session_print_states},
    {"sip_states.md", "States of a SIP device", "src/station/sip/station.c", sip_print_states},
    {"sip_transactions.md", "SIP transactions", "src/wire/sip/transaction.c",
     sip_transactions_print},
    {"sip_phone.md", "Registrations of a simulated SIP phone", "src/handset/sip/moves.c",
     sip_phone_print_moves},
};

static int check(const struct page *page, const char *folder, bool update)
{
    static char text[1 << 16], found[1 << 16], path[4096];
    struct writer w = writer_of(text, sizeof(text));
    size_t len;
    FILE *f;

    write_format(&w,
                 "# %s\n\nPrinted from the rows of `%s`; a test compares it.\nTo print it again: "
                 "`build/tests/golden/golden_pages docs/protocols --update`.\n\n",
                 page->title, page->source);
    page->print(&w);
    snprintf(path, sizeof(path), "%s/%s", folder, page->file);
    f = fopen(path, update ? "wb" : "rb");
    if (!f || w.bad)
        return 1;
    len = update ? fwrite(text, 1, writer_len(&w), f) : fread(found, 1, sizeof(found), f);
    fclose(f);
    if (len == writer_len(&w) && (update || !memcmp(text, found, len)))
        return 0;
    fprintf(stderr, "%s is not what the rows say\n", path);
    return 1;
}

int main(int argc, char **argv)
{
    int failed = argc < 2;

    for (size_t i = 0; !failed && i < sizeof(pages) / sizeof(*pages); i++)
        failed = check(&pages[i], argv[1], argc > 2);
    return failed;
}
