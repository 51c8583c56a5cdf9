/* csv.c - rows of comma-separated values, read in place. */
#include "server/bulk/csv.h"

#include <errno.h>

#include "base/report.h"

void csv_init(struct csv *c, char *bytes, size_t len)
{
    *c = (struct csv){.at = bytes, .end = bytes + len, .next_line = 1};
    if (len >= 3 && !memcmp(bytes, "\xef\xbb\xbf", 3))
        c->at += 3;
}

static bool at_line_end(const struct csv *c)
{
    return c->at == c->end || *c->at == '\n' ||
           (*c->at == '\r' && c->at + 1 < c->end && c->at[1] == '\n');
}

static void pass_line_end(struct csv *c)
{
    if (c->at < c->end && *c->at == '\r')
        c->at++;
    if (c->at < c->end)
        c->at++;
    c->next_line++;
}

static void pass_line(struct csv *c)
{
    char *end = memchr(c->at, '\n', (size_t)(c->end - c->at));

    c->at = end ? end : c->end;
    pass_line_end(c);
}

/* After the opening quote; a doubled one stands for itself. */
static const char *quoted_cell(struct csv *c, struct text *ret)
{
    char *to = c->at, *start = c->at;

    for (;; c->at++) {
        if (c->at == c->end)
            return "a quoted cell does not end";
        if (*c->at == '"') {
            if (c->at + 1 == c->end || c->at[1] != '"')
                break;
            c->at++;
        }
        c->next_line += *c->at == '\n';
        *to++ = *c->at;
    }
    c->at++;
    *ret = (struct text){start, (size_t)(to - start)};
    return at_line_end(c) || *c->at == ',' ? NULL : "text after the end of a quoted cell";
}

static const char *plain_cell(struct csv *c, struct text *ret)
{
    char *start = c->at;

    while (!at_line_end(c) && *c->at != ',') {
        if (*c->at == '"')
            return "a quote inside a cell that does not begin with one";
        c->at++;
    }
    *ret = text_trim((struct text){start, (size_t)(c->at - start)});
    return NULL;
}

static int bad_row(struct csv *c, const char **sentence, const char *why)
{
    *sentence = why;
    pass_line(c);
    return -EINVAL;
}

int csv_row(struct csv *c, struct text cells[static CSV_CELLS_MAX], size_t *n,
            const char **sentence)
{
    while (c->at < c->end && at_line_end(c))
        pass_line_end(c);
    if (c->at == c->end)
        return 0;
    c->line = c->next_line;
    for (*n = 0;; c->at++) {
        const char *why;

        if (*n == CSV_CELLS_MAX)
            return bad_row(c, sentence, "too many cells");
        if (c->at < c->end && *c->at == '"') {
            c->at++;
            why = quoted_cell(c, &cells[(*n)++]);
        } else {
            why = plain_cell(c, &cells[(*n)++]);
        }
        if (why)
            return bad_row(c, sentence, why);
        if (text_starts(cells[*n - 1], "'") && report_is_formula(cells[*n - 1]))
            cells[*n - 1] = text_skip(cells[*n - 1], 1);
        if (at_line_end(c))
            break;
    }
    pass_line_end(c);
    return 1;
}
