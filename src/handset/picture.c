/* picture.c - drawing and reading with ncurses; see picture.h. */
#define NCURSES_WIDECHAR 1
#include "handset/picture.h"

#include <errno.h>
#include <langinfo.h>
#include <ncurses.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { PAIR_LCD = 1, PAIR_LCD_BRIGHT, PAIR_GREEN, PAIR_RED, PAIR_AMBER, PAIR_DIM, PAIR_BODY };

#define LEFT       2  /* margin */
#define KEYS_WIDTH 26 /* of the column of keys beside the display */

static bool gone;

int picture_open(void)
{
    if (!isatty(STDIN_FILENO) || !newterm(NULL, stdout, stdin))
        return -ENOTTY;
    cbreak();
    noecho();
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE);
    set_escdelay(25);
    curs_set(0);
    return 0;
}

void picture_close(void)
{
    endwin();
}

/* Colours of the display: the text phones and 79x0 are green, the 7970 kin colourful. */
static void choose_colors(const struct handset *h, bool many)
{
    bool colourful = h->kind.model->screen.depth >= 12;

    use_default_colors();
    if (many) {
        init_pair(PAIR_LCD, colourful ? 255 : 16, colourful ? 24 : 151);
        init_pair(PAIR_LCD_BRIGHT, colourful ? 16 : 151, colourful ? 153 : 22);
        init_pair(PAIR_AMBER, 214, -1);
        init_pair(PAIR_DIM, 245, -1);
    } else {
        init_pair(PAIR_LCD, colourful ? COLOR_WHITE : COLOR_BLACK,
                  colourful ? COLOR_BLUE : COLOR_GREEN);
        init_pair(PAIR_LCD_BRIGHT, colourful ? COLOR_BLACK : COLOR_GREEN,
                  colourful ? COLOR_CYAN : COLOR_BLACK);
        init_pair(PAIR_AMBER, COLOR_YELLOW, -1);
        init_pair(PAIR_DIM, -1, -1);
    }
    init_pair(PAIR_GREEN, COLOR_GREEN, -1);
    init_pair(PAIR_RED, COLOR_RED, -1);
    init_pair(PAIR_BODY, -1, -1);
}

void picture_init(struct picture *p, const struct handset *h)
{
    *p = (struct picture){.ascii = strcmp(nl_langinfo(CODESET), "UTF-8") != 0};
    p->color = !getenv("NO_COLOR") && has_colors() && start_color() == OK;
    p->many_colors = p->color && COLORS >= 256;
    if (p->color)
        choose_colors(h, p->many_colors);
}

void picture_resize(void)
{
    struct winsize size;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row && size.ws_col)
        resizeterm(size.ws_row, size.ws_col);
    clearok(stdscr, TRUE);
}

bool picture_is_gone(void)
{
    return gone;
}

/* ---- drawing ---- */

static int pair(const struct picture *p, int number, unsigned otherwise)
{
    return p->color ? (int)COLOR_PAIR(number) : (int)otherwise;
}

/* Writes what fits of a UTF-8 text; control characters become blanks. */
static void put(int y, int x, int width, const char *words)
{
    char plain[512];
    size_t n = 0;
    int shown = 0;

    for (const char *c = words; *c && n + 5 < sizeof(plain); c++) {
        if ((*c & 0xc0) != 0x80 && shown++ == width)
            break;
        plain[n++] = (unsigned char)*c < ' ' || *c == 0x7f ? ' ' : *c;
    }
    plain[n] = 0;
    if (y >= 0 && y < LINES && x < COLS && width > 0)
        mvaddstr(y, x, plain);
}

static void frame(const struct picture *p, int y, int x, int height, int width)
{
    attron(pair(p, PAIR_DIM, 0));
    if (p->ascii) {
        mvhline(y, x, '-', width);
        mvhline(y + height - 1, x, '-', width);
        mvvline(y, x, '|', height);
        mvvline(y, x + width - 1, '|', height);
        mvaddch(y, x, '+');
        mvaddch(y, x + width - 1, '+');
        mvaddch(y + height - 1, x, '+');
        mvaddch(y + height - 1, x + width - 1, '+');
    } else {
        mvhline(y, x, ACS_HLINE, width);
        mvhline(y + height - 1, x, ACS_HLINE, width);
        mvvline(y, x, ACS_VLINE, height);
        mvvline(y, x + width - 1, ACS_VLINE, height);
        mvaddstr(y, x, "╭");
        mvaddstr(y, x + width - 1, "╮");
        mvaddstr(y + height - 1, x, "╰");
        mvaddstr(y + height - 1, x + width - 1, "╯");
    }
    attroff(pair(p, PAIR_DIM, 0));
}

static int lcd_rows(const struct handset *h)
{
    return h->kind.model->screen.columns ? 2 : 9;
}

static void draw_softkeys(const struct picture *p, const struct lcd *l, int y, int x)
{
    int width = (int)l->columns / (l->n_softkeys > 4 ? 5 : 4), at = x;
    char label[32];

    for (unsigned i = 0; i < l->n_softkeys; i++, at += width) {
        int used;

        snprintf(label, sizeof(label), "%.*s", width - 2, l->softkeys[i]);
        used = width - 1;
        attron(pair(p, PAIR_LCD_BRIGHT, A_REVERSE));
        mvhline(y, at, ' ', used);
        put(y, at + (used - (int)strlen(label)) / 2 + (strlen(label) > (size_t)used), used, label);
        attroff(pair(p, PAIR_LCD_BRIGHT, A_REVERSE));
        attron(pair(p, PAIR_DIM, A_DIM));
        snprintf(label, sizeof(label), "F%u", i + 1);
        put(y + 2, at + used / 2 - 1, used, label);
        attroff(pair(p, PAIR_DIM, A_DIM));
    }
}

static void draw_display(const struct picture *p, const struct handset *h, const struct lcd *l,
                         int y, int x)
{
    int rows = lcd_rows(h), width = (int)l->columns;

    frame(p, y, x, rows + 2, width + 4);
    for (int i = 0; i < rows; i++) {
        int look = pair(p, PAIR_LCD, 0);

        attron(h->powered ? look : 0);
        mvhline(y + 1 + i, x + 1, ' ', width + 2);
        attroff(h->powered ? look : 0);
        if (i >= (int)l->rows)
            continue;
        look = l->reverse[i] ? pair(p, PAIR_LCD_BRIGHT, A_REVERSE) : h->powered ? look : 0;
        attron(look);
        if (l->reverse[i])
            mvhline(y + 1 + i, x + 1, ' ', width + 2);
        put(y + 1 + i, x + 2, width, l->text[i]);
        attroff(look);
    }
    if (l->n_softkeys && rows > 2)
        draw_softkeys(p, l, y + rows, x + 2);
}

/* Off, on, wink (80 % on), flash (fast), blink (half). */
static bool is_lit(unsigned lamp, unsigned beat)
{
    switch (lamp) {
    case SCCP_LAMP_ON:
        return true;
    case SCCP_LAMP_WINK:
        return beat % 5 != 4;
    case SCCP_LAMP_FLASH:
        return beat % 2;
    case SCCP_LAMP_BLINK:
        return beat / 2 % 2;
    default:
        return false;
    }
}

static void draw_lamp(const struct picture *p, int y, int x, unsigned lamp, int colour)
{
    bool lit = is_lit(lamp, p->beat);
    int look = lit ? (int)(pair(p, colour, A_BOLD) | A_BOLD) : pair(p, PAIR_DIM, A_DIM);

    attron(look);
    put(y, x, 1, p->ascii ? (lit ? "*" : "o") : (lit ? "●" : "○"));
    attroff(look);
}

static char key_letter(unsigned i)
{
    return i < 26 ? (char)('a' + i) : ' ';
}

/* A key of the template, or before registration of the factory layout. */
static void draw_key(const struct picture *p, const struct screen_key *k, unsigned i, int y, int x,
                     int width)
{
    const char *words = screen_key_label(k);
    char label[64];

    attron(pair(p, PAIR_DIM, A_DIM));
    snprintf(label, sizeof(label), "%c", key_letter(i));
    put(y, x, 1, label);
    attroff(pair(p, PAIR_DIM, A_DIM));
    draw_lamp(p, y, x + 2, k->lamp, k->lamp == SCCP_LAMP_BLINK ? PAIR_AMBER : PAIR_GREEN);
    if (k->feature == SCCP_BUTTON_LINE)
        attron(A_BOLD);
    put(y, x + 4, width - 4, words);
    attroff(A_BOLD);
}

/* As few rows as show every key beside the display, but at least `rows`. */
static int key_rows(const struct handset *h, int x, int rows)
{
    struct screen_key keys[SCREEN_KEYS];
    int n = (int)handset_keys(h, keys), columns = (COLS - x) / KEYS_WIDTH;

    if (columns < 1)
        columns = 1;
    return (n + columns - 1) / columns > rows ? (n + columns - 1) / columns : rows;
}

static void draw_keys(const struct picture *p, const struct handset *h, int y, int x, int rows)
{
    struct screen_key keys[SCREEN_KEYS];
    unsigned n = handset_keys(h, keys);

    for (unsigned i = 0; i < n; i++) {
        int column = (int)i / rows;

        if (x + column * KEYS_WIDTH + 10 < COLS)
            draw_key(p, &keys[i], i, y + (int)i % rows, x + column * KEYS_WIDTH, KEYS_WIDTH - 1);
    }
}

/* clang-format off */
static const struct {
    const char *key, *words;
} functions[] = {
    {"SPC", "hook"},     {"P", "speaker"},  {"M", "messages"}, {"D", "directories"}, {"V", "services"},
    {"S", "settings"},   {"H", "hold"},     {"T", "transfer"}, {"C", "conference"},  {"R", "redial"},
    {"U", "unplug"},     {"Q", "quit"},
};
/* clang-format on */

static void draw_keypad(const struct picture *p, const struct handset *h, int y, int x)
{
    static const char *const rows[] = {" 1   2   3 ", " 4   5   6 ", " 7   8   9 ", " *   0   # "};
    unsigned n = sizeof(functions) / sizeof(functions[0]);

    for (int i = 0; i < 4; i++) {
        attron(A_BOLD);
        put(y + i, x, 11, rows[i]);
        attroff(A_BOLD);
    }
    for (unsigned i = 0; i < n; i++) {
        int at_y = y + (int)i % 4, at_x = x + 16 + (int)i / 4 * 20;

        attron(pair(p, PAIR_AMBER, A_BOLD));
        put(at_y, at_x, 3, functions[i].key);
        attroff(pair(p, PAIR_AMBER, A_BOLD));
        put(at_y, at_x + 4, 14,
            strcmp(functions[i].key, "U") == 0 && !h->powered ? "plug in" : functions[i].words);
    }
}

static void draw_title(const struct picture *p, const struct handset *h, int y)
{
    char words[160];
    unsigned ms = (unsigned)(h->registered_ms ? (runner_now_ms() - h->registered_ms) / 1000 : 0);

    attron(A_BOLD);
    snprintf(words, sizeof(words), "Cisco IP Phone %s", h->kind.model->name);
    put(y, LEFT, COLS - LEFT, words);
    attroff(A_BOLD);
    attron(pair(p, PAIR_DIM, A_DIM));
    put(y, LEFT + 26, COLS - LEFT - 26, h->runner.phone.name.s);
    attroff(pair(p, PAIR_DIM, A_DIM));
    if (h->registered_ms)
        snprintf(words, sizeof(words), "registered %u:%02u:%02u", ms / 3600, ms / 60 % 60, ms % 60);
    else
        snprintf(words, sizeof(words), "%s", handset_state(h));
    attron(pair(p, h->registered_ms ? PAIR_GREEN : PAIR_AMBER, A_BOLD));
    put(y, LEFT + 44, COLS - LEFT - 44, words);
    attroff(pair(p, h->registered_ms ? PAIR_GREEN : PAIR_AMBER, A_BOLD));
    draw_lamp(p, y, LEFT + 68, h->screen.ringer > 1 ? SCCP_LAMP_FLASH : h->screen.message_lamp,
              PAIR_RED);
    put(y, LEFT + 70, 10, h->screen.ringer > 1 ? "ringing" : "messages");
}

static void draw_messages(const struct picture *p, const struct handset *h, int y, int rows)
{
    unsigned n = h->n_messages < HANDSET_MESSAGES ? h->n_messages : HANDSET_MESSAGES;
    char words[160];

    for (int i = 0; i < rows && i < (int)n; i++) {
        const struct handset_message *m =
            &h->messages[(h->n_messages - 1 - (unsigned)i) % HANDSET_MESSAGES];

        attron(pair(p, PAIR_DIM, A_DIM));
        snprintf(words, sizeof(words), "%7.1f s  %s", (double)(m->at_ms - h->begun_ms) / 1e3,
                 m->text);
        put(y + i, LEFT, COLS - LEFT - 1, words);
        attroff(pair(p, PAIR_DIM, A_DIM));
    }
}

void picture_draw(struct picture *p, const struct handset *h)
{
    struct lcd l;
    int display_rows = lcd_rows(h) + 2, y = 2, keys, below;

    erase();
    handset_lcd(h, &l);
    if (COLS < (int)l.columns + LEFT + 6 ||
        LINES < display_rows + 1) { /* as much of the display as there is room */
        for (unsigned i = 0; i < l.rows; i++)
            put((int)i, 0, COLS, l.text[i]);
        refresh();
        return;
    }
    draw_title(p, h, 0);
    if (LINES < display_rows + 3)
        y = 1;
    draw_display(p, h, &l, y, LEFT);
    keys = key_rows(h, LEFT + (int)l.columns + 6, display_rows < 8 ? 6 : display_rows - 2);
    draw_keys(p, h, y + 1, LEFT + (int)l.columns + 6, keys);
    below = y + display_rows + (l.n_softkeys ? 2 : 1);
    if (below < y + keys + 2)
        below = y + keys + 2;
    if (LINES >= below + 4)
        draw_keypad(p, h, below, LEFT);
    if (p->beat - p->words_beat < 12 && *p->words) {
        attron(pair(p, PAIR_AMBER, A_BOLD));
        put(LINES - 1, LEFT, COLS - LEFT, p->words);
        attroff(pair(p, PAIR_AMBER, A_BOLD));
    }
    if (LINES > below + 6)
        draw_messages(p, h, below + 5, LINES - below - 6);
    refresh();
}

/* ---- keys ---- */

static bool key_of(int c, struct picture_key *k)
{
    /* clang-format off */
    static const struct {
        int c;
        enum handset_key key;
    } keys[] = {
        {' ', HANDSET_HOOK},        {'P', HANDSET_SPEAKER},      {'M', HANDSET_MESSAGES_KEY},
        {'D', HANDSET_DIRECTORIES}, {'V', HANDSET_SERVICES},     {'S', HANDSET_SETTINGS},
        {'H', HANDSET_HOLD},        {'T', HANDSET_TRANSFER},     {'C', HANDSET_CONFERENCE},
        {'R', HANDSET_REDIAL},      {'U', HANDSET_PLUG},         {KEY_UP, HANDSET_UP},
        {KEY_DOWN, HANDSET_DOWN},   {'\n', HANDSET_SELECT},      {'\r', HANDSET_SELECT},
        {KEY_ENTER, HANDSET_SELECT}, {27, HANDSET_BACK},         {KEY_BACKSPACE, HANDSET_BACK},
        {127, HANDSET_BACK},        {8, HANDSET_BACK},
    };
    /* clang-format on */

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (keys[i].c == c) {
            *k = (struct picture_key){.key = keys[i].key, .n = 1};
            return true;
        }
    }
    return false;
}

bool picture_read(struct picture *p, const struct handset *h, struct picture_key *ret)
{
    int c;

    while ((c = getch()) != ERR) {
        *ret = (struct picture_key){0};
        if ((c >= '0' && c <= '9') || c == '*' || c == '#') {
            ret->key = HANDSET_DIGIT;
            ret->n = (unsigned)c;
            return true;
        }
        if (c == '.') { /* easier to reach while an address is typed */
            ret->key = HANDSET_DIGIT;
            ret->n = '*';
            return true;
        }
        if (c >= 'a' && c <= 'z') {
            ret->key = HANDSET_LINE;
            ret->n = (unsigned)(c - 'a') + 1;
            return true;
        }
        if (c >= KEY_F(1) && c <= KEY_F(5)) {
            ret->key = HANDSET_SOFTKEY;
            ret->n = (unsigned)(c - KEY_F(1)) + 1;
            return true;
        }
        if (c == 'Q' || c == KEY_F(10)) {
            ret->quit = true;
            return true;
        }
        if (c == 12) { /* ^L */
            picture_resize();
            continue;
        }
        if (key_of(c, ret))
            return true;
    }
    if (!isatty(STDIN_FILENO))
        gone = true;
    return false;
}

void picture_say(struct picture *p, int err)
{
    p->words_beat = p->beat;
    if (err == -ENOTCONN)
        snprintf(p->words, sizeof(p->words), "The phone is not registered: the key does nothing.");
    else if (err == -EOPNOTSUPP)
        snprintf(p->words, sizeof(p->words),
                 "SIP phones make no calls here: the key does nothing.");
    else if (err)
        snprintf(p->words, sizeof(p->words), "This phone has no such key now.");
    else
        p->words[0] = 0;
}
