/* report.c - one writer, four shapes. */
#include "base/report.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/grow.h"
#include "base/unicode.h"

#define GAP         2  /* blanks between columns */
#define SMALL       17 /* an Ethernet address: a column that is no wider is not cut */
#define TINY        8  /* the last column is left out before it gets narrower than this */
#define LAST        24 /* the last column is wrapped; it is made no narrower than this first */
#define MAX_COLUMNS 64

struct cell {
    size_t at;
    uint32_t len;
    uint8_t kind;
    bool null;
};

struct report {
    struct grow text; /* of all names and cells */
    struct cell *cells;
    size_t n_cells, size_cells, n_columns;
    struct cell columns[MAX_COLUMNS];
    bool record, bad;
};

struct report *report_new(void)
{
    return calloc(1, sizeof(struct report));
}

void report_free(struct report *r)
{
    if (!r)
        return;
    grow_done(&r->text);
    free(r->cells);
    free(r);
}

static struct cell keep(struct report *r, enum report_kind kind, struct text t)
{
    struct cell c = {r->text.len, (uint32_t)t.len, (uint8_t)kind, false};

    grow_text(&r->text, t);
    return c;
}

static struct text text_in(const struct report *r, const struct cell *c)
{
    return r->text.bad ? TEXT("") : (struct text){r->text.at + c->at, c->len};
}

void report_column(struct report *r, struct text name)
{
    if (r->n_columns == MAX_COLUMNS)
        r->bad = true;
    else
        r->columns[r->n_columns++] = keep(r, REPORT_TEXT, name);
}

static void add(struct report *r, struct cell c)
{
    if (r->n_cells == r->size_cells) {
        size_t size = r->size_cells ? r->size_cells * 2 : 64;
        struct cell *cells = realloc(r->cells, size * sizeof(*cells));

        if (!cells) {
            r->bad = true;
            return;
        }
        r->cells = cells;
        r->size_cells = size;
    }
    r->cells[r->n_cells++] = c;
}

void report_cell(struct report *r, enum report_kind kind, struct text value)
{
    add(r, keep(r, kind, value));
}

void report_null(struct report *r)
{
    struct cell c = keep(r, REPORT_TEXT, TEXT(""));

    c.null = true;
    add(r, c);
}

void report_number(struct report *r, int64_t value)
{
    char s[24];
    int n = snprintf(s, sizeof(s), "%lld", (long long)value);

    report_cell(r, REPORT_NUMBER, (struct text){s, (size_t)n});
}

void report_flag(struct report *r, bool value)
{
    report_cell(r, REPORT_FLAG, value ? TEXT("true") : TEXT("false"));
}

size_t report_rows(const struct report *r)
{
    return r->n_columns ? r->n_cells / r->n_columns : 0;
}

void report_set_record(struct report *r)
{
    r->record = true;
}

static const struct cell *cell_at(const struct report *r, size_t row, size_t column)
{
    return &r->cells[row * r->n_columns + column];
}

/* Writes at most `width` columns of `t`, with "…" when something is left, and returns how many. */
static size_t write_cut(struct grow *g, struct text t, size_t width)
{
    bool cut = text_columns(t) > width;
    size_t done = 0, room = cut && width ? width - 1 : width;

    while (t.len) {
        struct text before = t;
        uint32_t c = unicode_next(&t);

        if (done + unicode_width(c) > room)
            break;
        done += unicode_width(c);
        if (unicode_is_harmful(c))
            grow_string(g, "?");
        else
            grow_text(g, (struct text){before.at, before.len - t.len});
    }
    if (cut && width) {
        grow_string(g, "…");
        done++;
    }
    return done;
}

/* --- the table --- */

static struct text shown(const struct report *r, const struct cell *c)
{
    if (c->kind == REPORT_FLAG)
        return text_is(text_in(r, c), "true") ? TEXT("yes") : TEXT("");
    return text_in(r, c);
}

static void write_title(struct grow *g, struct text name, size_t width)
{
    char title[128];
    size_t n = text_copy(title, sizeof(title), name);

    for (size_t i = 0; i < n; i++)
        title[i] = title[i] == '_' ? ' ' : title[i];
    write_cut(g, (struct text){title, n}, width);
}

static void natural_widths(const struct report *r, size_t widths[MAX_COLUMNS])
{
    for (size_t c = 0; c < r->n_columns; c++) {
        bool empty = c > 0;

        widths[c] = text_columns(text_in(r, &r->columns[c]));
        for (size_t row = 0; row < report_rows(r); row++) {
            size_t width = text_columns(shown(r, cell_at(r, row, c)));

            empty = empty && !width;
            widths[c] = width > widths[c] ? width : widths[c];
        }
        if (empty)
            widths[c] = 0; /* left out */
    }
}

static size_t total_width(const size_t *widths, size_t n)
{
    size_t total = 0;

    for (size_t i = 0; i < n; i++)
        total += widths[i] ? widths[i] + GAP : 0;
    return total ? total - GAP : 0;
}

static size_t last_shown(const size_t *widths, size_t n)
{
    while (n > 1 && !widths[n - 1])
        n--;
    return n - 1;
}

/* Takes one from the widest of the columns from `first` on that is wider than `least`. */
static bool take_one(size_t *widths, size_t n, size_t first, size_t least)
{
    size_t widest = first;

    for (size_t i = first; i < n; i++)
        if (widths[i] > widths[widest])
            widest = i;
    if (widest >= n || widths[widest] <= least)
        return false;
    widths[widest]--;
    return true;
}

/* First the last column gives, which is wrapped, then the widest. When that is not enough, columns
 * are left out from the right; the first, which names the thing, is cut last. */
static void fit(size_t *widths, size_t n, size_t width)
{
    size_t last = last_shown(widths, n);

    while (total_width(widths, n) > width) {
        if (last && widths[last] > LAST)
            widths[last]--;
        else if (take_one(widths, last, 1, SMALL))
            ;
        else if (last && widths[last] > TINY)
            widths[last]--;
        else if (last > 1)
            widths[last] = 0, last = last_shown(widths, n);
        else if (!take_one(widths, n, 0, SMALL))
            return; /* the terminal wraps the lines */
    }
}

/* Cuts the first line of at most `width` columns off `rest`: at a line feed, else at a blank. */
static struct text cut_line(struct text *rest, size_t width)
{
    struct text t = *rest, line = *rest;
    size_t done = 0, blank = 0;

    while (t.len) {
        size_t at = (size_t)(t.at - rest->at);
        uint32_t c = unicode_next(&t);

        if (c == '\n') {
            line.len = at;
            *rest = t;
            return line;
        }
        if (c == ' ')
            blank = at;
        if (done + unicode_width(c) > width) {
            line.len = blank ? blank : at ? at : 1;
            *rest = text_skip(*rest, line.len + (blank != 0));
            return line;
        }
        done += unicode_width(c);
    }
    *rest = (struct text){NULL, 0};
    return line;
}

/* The last cell of a row: what does not fit goes on below it, at column `indent`. */
static void write_last(struct grow *g, struct text t, size_t width, size_t indent)
{
    struct text rest = t;

    if (text_columns(t) <= width) {
        write_cut(g, t, width);
        return;
    }
    for (bool first = true; rest.at; first = false) {
        struct text line = cut_line(&rest, width);

        if (!first) {
            grow_string(g, "\n");
            grow_fill(g, ' ', indent);
        }
        write_cut(g, line, width);
    }
}

static void write_row(const struct report *r, struct grow *g, const size_t *widths, size_t row)
{
    size_t last = last_shown(widths, r->n_columns), owed = 0; /* blanks before the next cell */

    for (size_t c = 0; c <= last; c++) {
        const struct cell *cell = row == SIZE_MAX ? &r->columns[c] : cell_at(r, row, c);
        bool right = report_rows(r) && cell_at(r, 0, c)->kind == REPORT_NUMBER;
        struct text t = shown(r, cell);
        size_t width = text_columns(t);

        if (!widths[c])
            continue;
        width = width > widths[c] ? widths[c] : width;
        if (width) { /* no blanks are left at the end of a line */
            grow_fill(g, ' ', owed + (right ? widths[c] - width : 0));
            owed = 0;
            if (row == SIZE_MAX)
                write_title(g, t, widths[c]);
            else if (c == last)
                write_last(g, t, widths[c], total_width(widths, last) + (last ? GAP : 0));
            else
                width = write_cut(g, t, widths[c]);
        }
        owed += (right && width ? 0 : widths[c] - width) + GAP;
    }
    grow_string(g, "\n");
}

static size_t n_used(const size_t *widths, size_t n)
{
    size_t used = 0;

    for (size_t i = 0; i < n; i++)
        used += widths[i] != 0;
    return used;
}

static void print_table(const struct report *r, struct grow *g, size_t width)
{
    size_t widths[MAX_COLUMNS], n_shown;

    natural_widths(r, widths);
    n_shown = n_used(widths, r->n_columns);
    if (width)
        fit(widths, r->n_columns, width);
    write_row(r, g, widths, SIZE_MAX);
    if (n_used(widths, r->n_columns) < n_shown && total_width(widths, r->n_columns) + 2 <= width) {
        g->len--; /* a mark at the end of the heading: there are more columns */
        grow_string(g, " …\n");
    }
    for (size_t row = 0; row < report_rows(r); row++)
        write_row(r, g, widths, row);
}

static void print_record(const struct report *r, struct grow *g, size_t width)
{
    size_t left = 0, room = SIZE_MAX / 2;

    for (size_t c = 0; c < r->n_columns; c++) {
        size_t w = text_columns(text_in(r, &r->columns[c]));
        left = w > left ? w : left;
    }
    if (width > left + GAP + SMALL)
        room = width - left - GAP;
    for (size_t c = 0; c < r->n_columns && report_rows(r); c++) {
        struct text rest = shown(r, cell_at(r, 0, c)), name = text_in(r, &r->columns[c]);

        if (!rest.len)
            continue;
        write_title(g, name, SIZE_MAX);
        for (size_t owed = left - text_columns(name) + GAP; rest.at; owed = left + GAP) {
            struct text line = cut_line(&rest, room);
            if (line.len)
                grow_fill(g, ' ', owed);
            write_cut(g, line, SIZE_MAX);
            grow_string(g, "\n");
        }
    }
}

/* --- for programs --- */

static void write_json_string(struct grow *g, struct text t)
{
    grow_string(g, "\"");
    while (t.len) {
        struct text before = t;
        uint32_t c = unicode_next(&t);

        if (c == '"' || c == '\\')
            grow_format(g, "\\%c", (char)c);
        else if (c == '\n')
            grow_string(g, "\\n");
        else if (c < 0x20 || c == 0x7f || c == 0xfffd)
            grow_format(g, "\\u%04x", c);
        else
            grow_text(g, (struct text){before.at, before.len - t.len});
    }
    grow_string(g, "\"");
}

static void write_json_cell(const struct report *r, struct grow *g, const struct cell *c)
{
    if (c->null)
        grow_string(g, "null");
    else if (c->kind == REPORT_TEXT)
        write_json_string(g, text_in(r, c));
    else
        grow_text(g, text_in(r, c));
}

static void write_json_row(const struct report *r, struct grow *g, size_t row)
{
    grow_string(g, "{");
    for (size_t c = 0; c < r->n_columns; c++) {
        grow_string(g, c ? ", " : "");
        write_json_string(g, text_in(r, &r->columns[c]));
        grow_string(g, ": ");
        write_json_cell(r, g, cell_at(r, row, c));
    }
    grow_string(g, "}");
}

static void print_json(const struct report *r, struct grow *g)
{
    size_t n = report_rows(r);

    if (r->record) {
        if (n)
            write_json_row(r, g, 0);
        grow_string(g, n ? "\n" : "{}\n");
        return;
    }
    grow_string(g, "[");
    for (size_t row = 0; row < n; row++) {
        grow_string(g, row ? ",\n " : "");
        write_json_row(r, g, row);
    }
    grow_string(g, "]\n");
}

bool report_is_formula(struct text cell)
{
    while (cell.len && *cell.at == '\'')
        cell = text_skip(cell, 1);
    if (!cell.len || !strchr("=+-@", *cell.at))
        return false;
    while (cell.len && strchr("+-0123456789*#.;/ ", *cell.at))
        cell = text_skip(cell, 1);
    return cell.len;
}

/* RFC 4180: quotes where they are needed. */
static void write_csv_cell(struct grow *g, struct text t)
{
    bool quote = false;

    for (size_t i = 0; i < t.len; i++)
        quote = quote || t.at[i] == ',' || t.at[i] == '"' || t.at[i] == '\n' || t.at[i] == '\r';
    if (!quote) {
        grow_string(g, report_is_formula(t) ? "'" : "");
        grow_text(g, t);
        return;
    }
    grow_string(g, report_is_formula(t) ? "\"'" : "\"");
    for (size_t i = 0; i < t.len; i++) {
        grow_string(g, t.at[i] == '"' ? "\"" : "");
        grow_text(g, (struct text){t.at + i, 1});
    }
    grow_string(g, "\"");
}

static void print_csv(const struct report *r, struct grow *g)
{
    for (size_t row = 0; row <= report_rows(r); row++) {
        for (size_t c = 0; c < r->n_columns; c++) {
            grow_string(g, c ? "," : "");
            write_csv_cell(g, text_in(r, row ? cell_at(r, row - 1, c) : &r->columns[c]));
        }
        grow_string(g, "\r\n");
    }
}

static void write_html_text(struct grow *g, struct text t)
{
    while (t.len) {
        struct text before = t;
        uint32_t c = unicode_next(&t);

        if (c == '<' || c == '>' || c == '&' || c == '"')
            grow_format(g, "&#%u;", c);
        else if (unicode_is_harmful(c) && c != '\n')
            grow_string(g, "?");
        else
            grow_text(g, (struct text){before.at, before.len - t.len});
    }
}

static void write_html_cell(struct grow *g, const char *tag, struct text t)
{
    grow_format(g, "<%s>", tag);
    write_html_text(g, t);
    grow_format(g, "</%s>", tag);
}

static void print_html(const struct report *r, struct grow *g)
{
    grow_string(g, "<table>\n");
    for (size_t c = 0; r->record && report_rows(r) && c < r->n_columns; c++) {
        grow_string(g, "<tr>");
        write_html_cell(g, "th", text_in(r, &r->columns[c]));
        write_html_cell(g, "td", shown(r, cell_at(r, 0, c)));
        grow_string(g, "</tr>\n");
    }
    for (size_t row = 0; !r->record && row <= report_rows(r); row++) {
        grow_string(g, "<tr>");
        for (size_t c = 0; c < r->n_columns; c++)
            write_html_cell(g, row ? "td" : "th",
                            row ? shown(r, cell_at(r, row - 1, c)) : text_in(r, &r->columns[c]));
        grow_string(g, "</tr>\n");
    }
    grow_string(g, "</table>\n");
}

char *report_print(const struct report *r, enum report_shape shape, size_t width)
{
    struct grow g = {0};

    if (r->bad || r->text.bad)
        return NULL;
    switch (shape) {
    case REPORT_TABLE:
        if (r->record)
            print_record(r, &g, width);
        else
            print_table(r, &g, width);
        break;
    case REPORT_JSON:
        print_json(r, &g);
        break;
    case REPORT_CSV:
        print_csv(r, &g);
        break;
    case REPORT_HTML:
        print_html(r, &g);
        break;
    }
    return grow_take(&g);
}
