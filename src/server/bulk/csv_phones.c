/* csv_phones.c - phone lists: ours, and those of the original's bulk administration tool. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/grow.h"
#include "base/map.h"
#include "base/report.h"
#include "core/directory/fields.h"
#include "core/models.h"
#include "server/bulk/bulk.h"
#include "server/bulk/csv.h"

/* What a column means. A row of `headers`, or a field of a phone. */
enum column_kind {
    COLUMN_FIELD,
    COLUMN_NOTHING,
    COLUMN_NUMBER,
    COLUMN_PARTITION,
    COLUMN_DISPLAY,
    COLUMN_LABEL,
    COLUMN_MASK,
    COLUMN_LINE_FIELD,
    COLUMN_DIAL_NUMBER,
    COLUMN_DIAL_LABEL
};

struct column {
    enum column_kind kind;
    const char *field; /* of the phone or line */
    unsigned index;    /* of the numbered ones, from 0 */
};

#define MAX_LINES 64
#define MAX_DIALS 200

/* Headers of the bulk administration files, in lower case; those that end in '#' are followed by a
 * number. */
static const struct {
    const char *header;
    enum column_kind kind;
    const char *field;
} headers[] = {
    {"mac address", COLUMN_FIELD, "name"},
    {"device name", COLUMN_FIELD, "name"},
    {"device type", COLUMN_FIELD, "model"},
    {"device pool", COLUMN_FIELD, "pool"},
    {"device protocol", COLUMN_FIELD, "protocol"},
    {"phone template", COLUMN_FIELD, "template"},
    {"phone button template", COLUMN_FIELD, "template"},
    {"softkey template", COLUMN_FIELD, "softkeys"},
    {"sip profile", COLUMN_FIELD, "sip_profile"},
    {"digest user", COLUMN_FIELD, "digest_user"},
    {"owner user id", COLUMN_FIELD, "owner"},
    {"user id", COLUMN_NOTHING, NULL},
    {"phone load name", COLUMN_FIELD, "load"},
    {"user locale", COLUMN_FIELD, "user_locale"},
    {"network locale", COLUMN_FIELD, "network_locale"},
    {"css", COLUMN_FIELD, "css"},
    {"directory number #", COLUMN_NUMBER, NULL},
    {"route partition #", COLUMN_PARTITION, NULL},
    {"display #", COLUMN_DISPLAY, NULL},
    {"line text label #", COLUMN_LABEL, NULL},
    {"external phone number mask #", COLUMN_MASK, NULL},
    {"forward all destination #", COLUMN_LINE_FIELD, "forward_all"},
    {"forward busy external #", COLUMN_LINE_FIELD, "forward_busy"},
    {"forward busy external destination #", COLUMN_LINE_FIELD, "forward_busy"},
    {"forward no answer external #", COLUMN_LINE_FIELD, "forward_no_answer"},
    {"forward no answer external destination #", COLUMN_LINE_FIELD, "forward_no_answer"},
    {"forward busy internal #", COLUMN_NOTHING, NULL},
    {"forward no answer internal #", COLUMN_NOTHING, NULL},
    {"forward no coverage external #", COLUMN_NOTHING, NULL},
    {"forward no coverage internal #", COLUMN_NOTHING, NULL},
    {"call pickup group #", COLUMN_LINE_FIELD, "pickup_group"},
    {"alerting name #", COLUMN_LINE_FIELD, "alerting_name"},
    {"line description #", COLUMN_LINE_FIELD, "description"},
    {"line css #", COLUMN_LINE_FIELD, "css"},
    {"speed dial number #", COLUMN_DIAL_NUMBER, NULL},
    {"speed dial label #", COLUMN_DIAL_LABEL, NULL},
};

/* "Directory Number 3" against "directory number #": true with 2 in *index. */
static bool fits(struct text cell, const char *pattern, unsigned *index)
{
    size_t len = strlen(pattern);
    uint32_t number;

    *index = 0;
    if (pattern[len - 1] != '#')
        return text_equal_nocase(cell, text_of(pattern));
    if (cell.len < len ||
        !text_equal_nocase((struct text){cell.at, len - 1}, (struct text){pattern, len - 1}) ||
        text_to_u32(text_skip(cell, len - 1), 10, &number) < 0 || number < 1 || number > MAX_DIALS)
        return false;
    *index = number - 1;
    return true;
}

/* A file whose header has a word of the original's is one of its files: its other columns are
 * passed over. */
static bool column_of(struct text cell, bool foreign, struct column *ret)
{
    const struct directory_field *f =
        directory_field_find(directory_entity(ENTITY_phone)->fields, cell);

    *ret = (struct column){0};
    if (!foreign && f && f->kind != FIELD_LIST) {
        ret->field = f->name;
        return true;
    }
    if (text_equal_nocase(cell, TEXT("lines")) || text_equal_nocase(cell, TEXT("speed_dials"))) {
        ret->field = text_equal_nocase(cell, TEXT("lines")) ? "lines" : "speed_dials";
        return true;
    }
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        if (fits(cell, headers[i].header, &ret->index)) {
            ret->kind = headers[i].kind;
            ret->field = headers[i].field;
            return true;
        }
    }
    if (foreign && f && f->kind != FIELD_LIST && strcmp(f->name, "location") != 0) {
        ret->field = f->name;
        return true;
    }
    ret->kind = COLUMN_NOTHING;
    return foreign;
}

struct sheet {
    struct change *to;
    struct change_faults *faults;
    struct column columns[CSV_CELLS_MAX];
    size_t n_columns;
    bool numbered; /* lines and speed dials are columns of their own */
    bool has_model;
    struct text model; /* of rows without one */
};

static void fault(struct change_faults *faults, uint32_t line, const char *field,
                  const char *format, ...) __attribute__((format(printf, 4, 5)));

static void fault(struct change_faults *faults, uint32_t line, const char *field,
                  const char *format, ...)
{
    va_list args;

    faults->total++;
    if (faults->n == faults->max)
        return;
    faults->rows[faults->n].source = line;
    faults->rows[faults->n].field = field;
    va_start(args, format);
    vsnprintf(faults->rows[faults->n++].text, sizeof(faults->rows[0].text), format, args);
    va_end(args);
}

static bool is_foreign(const struct text *cells, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (text_equal_nocase(cells[i], TEXT("mac address")) ||
            text_equal_nocase(cells[i], TEXT("device name")))
            return true;
    }
    return false;
}

static int read_header(struct sheet *s, const struct text *cells, size_t n, char *error,
                       size_t size)
{
    const struct directory_field *fields = directory_entity(ENTITY_phone)->fields;
    bool foreign = is_foreign(cells, n), has_name = false;

    for (size_t i = 0; i < n; i++) {
        const struct directory_field *nearest;

        if (!column_of(cells[i], foreign, &s->columns[i])) {
            nearest = directory_field_nearest(fields, cells[i]);
            snprintf(error, size, "line 1: there is no column \"%.*s\"%s%s%s",
                     cells[i].len > 40 ? 40 : (int)cells[i].len, cells[i].at,
                     nearest ? ": did you mean " : "", nearest ? nearest->name : "",
                     nearest ? "?" : "");
            return -EINVAL;
        }
        if (s->columns[i].kind == COLUMN_FIELD) {
            has_name |= !strcmp(s->columns[i].field, "name");
            s->has_model |= !strcmp(s->columns[i].field, "model");
        }
        s->numbered |= s->columns[i].kind >= COLUMN_NUMBER;
    }
    s->n_columns = n;
    if (!has_name || (!s->has_model && !s->model.len)) {
        snprintf(error, size, "line 1 is a header with at least the columns name and model%s",
                 has_name ? "; give the model as the format, \"csv:7960\"" : "");
        return -EINVAL;
    }
    return 0;
}

struct cell_line {
    struct text number, partition, display, label, mask;
};

struct cell_row {
    struct text name;
    struct cell_line lines[MAX_LINES];
    struct text dial_numbers[MAX_DIALS], dial_labels[MAX_DIALS];
};

static void collect(const struct sheet *s, const struct text *cells, size_t n, struct cell_row *row)
{
    row->name = TEXT("");
    if (s->numbered)
        memset(row, 0, sizeof(*row));
    for (size_t i = 0; i < n; i++) {
        const struct column *c = &s->columns[i];
        unsigned line = c->index < MAX_LINES ? c->index : MAX_LINES - 1;

        switch (c->kind) {
        case COLUMN_NUMBER:
            row->lines[line].number = cells[i];
            break;
        case COLUMN_PARTITION:
            row->lines[line].partition = cells[i];
            break;
        case COLUMN_DISPLAY:
            row->lines[line].display = cells[i];
            break;
        case COLUMN_LABEL:
            row->lines[line].label = cells[i];
            break;
        case COLUMN_MASK:
            row->lines[line].mask = cells[i];
            break;
        case COLUMN_DIAL_NUMBER:
            row->dial_numbers[c->index] = cells[i];
            break;
        case COLUMN_DIAL_LABEL:
            row->dial_labels[c->index] = cells[i];
            break;
        case COLUMN_FIELD:
            if (!strcmp(c->field, "name"))
                row->name = cells[i];
            break;
        default:
            break;
        }
    }
}

static void line_key(const struct cell_line *l, char to[static 128])
{
    struct text number = l->number;

    if (text_starts(number, "\\+")) /* as the original writes a leading + */
        number = text_skip(number, 1);
    snprintf(to, 128, "%.*s%s%.*s", number.len > 60 ? 60 : (int)number.len, number.at,
             l->partition.len ? "/" : "", l->partition.len > 60 ? 60 : (int)l->partition.len,
             l->partition.len ? l->partition.at : "");
}

static void item_text(struct change *c, const char *field, struct text value)
{
    if (value.len)
        change_field(c, text_of(field), value);
}

/* The attributes of numbers, then the phone with its keys. */
static void add_line_fields(struct sheet *s, const struct text *cells, size_t n,
                            const struct cell_row *row)
{
    for (unsigned line = 0; line < MAX_LINES; line++) {
        char key[128];

        if (!row->lines[line].number.len)
            continue;
        line_key(&row->lines[line], key);
        change_put(s->to, ENTITY_line, text_of(key));
        for (size_t i = 0; i < n; i++) {
            if (s->columns[i].kind == COLUMN_LINE_FIELD && s->columns[i].index == line)
                item_text(s->to, s->columns[i].field, cells[i]);
        }
    }
}

static void add_buttons(struct sheet *s, const struct cell_row *row)
{
    change_list(s->to, TEXT("buttons"));
    for (unsigned i = 0; i < MAX_LINES; i++) {
        const struct cell_line *l = &row->lines[i];
        char key[128];

        if (!l->number.len)
            continue;
        line_key(l, key);
        change_item(s->to);
        change_field(s->to, TEXT("target"), text_of(key));
        item_text(s->to, "display", l->display);
        item_text(s->to, "label", l->label);
        item_text(s->to, "mask", l->mask);
    }
    for (unsigned i = 0; i < MAX_DIALS; i++) {
        if (!row->dial_numbers[i].len)
            continue;
        change_item(s->to);
        change_field(s->to, TEXT("feature"), TEXT("speed_dial"));
        change_field(s->to, TEXT("target"), row->dial_numbers[i]);
        item_text(s->to, "label", row->dial_labels[i]);
    }
}

static void add_phone(struct sheet *s, const struct text *cells, size_t n,
                      const struct cell_row *row)
{
    if (s->numbered)
        add_line_fields(s, cells, n, row);
    change_put(s->to, ENTITY_phone, row->name);
    if (!s->has_model)
        change_field(s->to, TEXT("model"), s->model);
    for (size_t i = 0; i < n; i++) {
        if (s->columns[i].kind == COLUMN_FIELD && cells[i].len &&
            strcmp(s->columns[i].field, "name") != 0)
            change_field(s->to, text_of(s->columns[i].field), cells[i]);
    }
    if (s->numbered)
        add_buttons(s, row);
}

/* Names that were seen, to find the second one. */
struct seen {
    char name[16];
    uint32_t line;
};

static struct text seen_key(const void *value)
{
    return text_of(((const struct seen *)value)->name);
}

struct seen_names {
    struct map map;
    struct seen **blocks;
    size_t n, n_blocks;
};

#define SEEN_BLOCK 4096

static struct seen *seen_new(struct seen_names *s)
{
    if (s->n % SEEN_BLOCK == 0) {
        struct seen **blocks = realloc(s->blocks, (s->n_blocks + 1) * sizeof(*blocks));

        if (!blocks)
            return NULL;
        s->blocks = blocks;
        if (!(s->blocks[s->n_blocks] = malloc(SEEN_BLOCK * sizeof(struct seen))))
            return NULL;
        s->n_blocks++;
    }
    return &s->blocks[s->n / SEEN_BLOCK][s->n % SEEN_BLOCK];
}

/* 0, the line where the name stood before, or -ENOMEM. */
static int64_t see(struct seen_names *s, struct text name, uint32_t line)
{
    struct seen *new = seen_new(s), *old;

    if (!new)
        return -ENOMEM;
    phone_name_normal(name, new->name);
    new->line = line;
    if ((old = map_get(&s->map, text_of(new->name))))
        return old->line;
    s->n++;
    return map_put(&s->map, new);
}

static void seen_done(struct seen_names *s)
{
    map_done(&s->map);
    while (s->n_blocks > 0)
        free(s->blocks[--s->n_blocks]);
    free(s->blocks);
}

static int read_row(struct sheet *s, struct seen_names *seen, uint32_t line,
                    const struct text *cells, size_t n, struct cell_row *row)
{
    int64_t before;

    if (n > s->n_columns) {
        fault(s->faults, line, "", "%zu cells, but the header has %zu", n, s->n_columns);
        return 0;
    }
    collect(s, cells, n, row);
    if (!row->name.len) {
        fault(s->faults, line, "name", "the name is missing");
        return 0;
    }
    if ((before = see(seen, row->name, line)) < 0)
        return (int)before;
    if (before > 0) {
        fault(s->faults, line, "name", "%.*s stands on line %u already",
              row->name.len > 40 ? 40 : (int)row->name.len, row->name.at, (uint32_t)before);
        return 0;
    }
    change_source(s->to, line);
    add_phone(s, cells, n, row);
    return 0;
}

int bulk_csv_read(char *bytes, size_t len, struct text model, struct change *to,
                  struct change_faults *faults, char *error, size_t size)
{
    struct sheet *s = calloc(1, sizeof(*s));
    struct cell_row *row = malloc(sizeof(*row));
    struct text *cells = calloc(CSV_CELLS_MAX, sizeof(*cells));
    struct seen_names seen = {0};
    const char *sentence = "";
    struct csv csv;
    size_t n = 0;
    int err = s && row && cells ? 0 : -ENOMEM, got;

    map_init(&seen.map, seen_key);
    csv_init(&csv, bytes, len);
    if (err)
        goto out;
    *s = (struct sheet){.to = to, .faults = faults, .model = model};
    if ((got = csv_row(&csv, cells, &n, &sentence)) <= 0) {
        snprintf(error, size, "line 1: %s", got ? sentence : "the file is empty");
        err = -EINVAL;
        goto out;
    }
    err = read_header(s, cells, n, error, size);
    while (!err && (got = csv_row(&csv, cells, &n, &sentence)) != 0) {
        if (got < 0)
            fault(faults, csv.line, "", "%s", sentence);
        else
            err = read_row(s, &seen, csv.line, cells, n, row);
    }
out:
    if (err == -ENOMEM)
        snprintf(error, size, "there is not enough memory");
    seen_done(&seen);
    free(cells);
    free(row);
    free(s);
    return err;
}

static void write_cell(struct grow *to, struct text t, bool last)
{
    bool quote = false;

    for (size_t i = 0; i < t.len && !quote; i++)
        quote = strchr(",\"\r\n", t.at[i]) != NULL;
    quote |= t.len && (t.at[0] == ' ' || t.at[t.len - 1] == ' ');
    if (quote)
        grow_string(to, "\"");
    grow_string(to, report_is_formula(t) ? "'" : "");
    if (quote) {
        for (size_t i = 0; i < t.len; i++)
            grow_text(to, t.at[i] == '"' ? TEXT("\"\"") : (struct text){t.at + i, 1});
        grow_string(to, "\"");
    } else {
        grow_text(to, t);
    }
    grow_string(to, last ? "\n" : ",");
}

static void write_list(struct grow *to, const struct phone *p,
                       void (*print)(const struct phone *, struct grow *))
{
    struct grow cell = {0};

    print(p, &cell);
    write_cell(to, (struct text){cell.at ? cell.at : "", cell.len}, false);
    to->bad |= cell.bad;
    grow_done(&cell);
}

void bulk_csv_write(const struct directory *dir, struct grow *to)
{
    const struct phone *p = NULL;

    grow_string(to, "name,model,protocol,description,pool,lines,speed_dials,load\n");
    while ((p = directory_next(dir, ENTITY_phone, text_of(p ? p->name : "")))) {
        char number[12];

        write_cell(to, text_of(p->name), false);
        write_cell(to, text_of(model_print((uint32_t)p->model, number)), false);
        write_cell(to, text_of(names_print(device_protocols, p->protocol)), false);
        write_cell(to, text_of(p->description), false);
        write_cell(to, text_of(p->pool), false);
        write_list(to, p, phone_print_lines);
        write_list(to, p, phone_print_speed_dials);
        write_cell(to, text_of(p->load), true);
    }
}
