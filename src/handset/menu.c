/* menu.c - pages, fields and keys of the Settings menu; see menu.h. */
#include "handset/menu.h"

#include <stdio.h>

#include "handset/boot/boot.h"

enum field_kind { FIELD_SHOWN, FIELD_ADDRESS, FIELD_FLAG, FIELD_VLAN, FIELD_ERASE };

/* Network Configuration, in the order of a 7960. */
enum {
    FIELD_DHCP_SERVER,
    FIELD_MAC,
    FIELD_HOST,
    FIELD_DOMAIN,
    FIELD_IP,
    FIELD_MASK,
    FIELD_TFTP1,
    FIELD_ROUTER,
    FIELD_DNS,
    FIELD_OPERATIONAL_VLAN,
    FIELD_ADMIN_VLAN,
    FIELD_CM1,
    FIELD_CM2,
    FIELD_CM3,
    FIELD_DHCP,
    FIELD_TFTP2,
    FIELD_ALTERNATE,
    FIELD_ERASE_ROW,
    N_FIELDS
};

static void show_ip(uint32_t ip, char *to, size_t size)
{
    char text[IP_TEXT_MAX];

    snprintf(to, size, "%.15s", ip_print(ip_v4(ip), text));
}

static void show_dhcp_server(const struct menu_view *v, char *to, size_t size)
{
    show_ip(v->boot && v->now->dhcp ? v->boot->dhcp.lease.server : 0, to, size);
}

static void show_mac(const struct menu_view *v, char *to, size_t size)
{
    snprintf(to, size, "%012llX", (unsigned long long)mac_number(v->mac));
}

static void show_host(const struct menu_view *v, char *to, size_t size)
{
    snprintf(to, size, "SEP%012llX", (unsigned long long)mac_number(v->mac));
}

static void show_domain(const struct menu_view *v, char *to, size_t size)
{
    snprintf(to, size, "%s", v->now->domain);
}

static void show_vlan(const struct menu_view *v, char *to, size_t size)
{
    if (v->boot && v->boot->vlan)
        snprintf(to, size, "%u", v->boot->vlan);
}

static void show_server(const struct menu_view *v, unsigned i, char *to, size_t size)
{
    if (v->boot && i < v->boot->n_servers)
        snprintf(to, size, "%s", v->boot->servers[i].as_written.name);
}

static void show_cm1(const struct menu_view *v, char *to, size_t size)
{
    show_server(v, 0, to, size);
}

static void show_cm2(const struct menu_view *v, char *to, size_t size)
{
    show_server(v, 1, to, size);
}

static void show_cm3(const struct menu_view *v, char *to, size_t size)
{
    show_server(v, 2, to, size);
}

/* An address can be typed when DHCP is off, a TFTP server also when the alternate is on. */
#define AT(member) offsetof(struct network, member)
/* clang-format off */
static const struct field_row {
    const char *name;
    enum field_kind kind;
    size_t at; /* in struct network */
    void (*show)(const struct menu_view *v, char *to, size_t size);
} fields[N_FIELDS] = {
    [FIELD_DHCP_SERVER]      = {"DHCP Server",         FIELD_SHOWN,   0,                  show_dhcp_server},
    [FIELD_MAC]              = {"MAC Address",         FIELD_SHOWN,   0,                  show_mac},
    [FIELD_HOST]             = {"Host Name",           FIELD_SHOWN,   0,                  show_host},
    [FIELD_DOMAIN]           = {"Domain Name",         FIELD_SHOWN,   0,                  show_domain},
    [FIELD_IP]               = {"IP Address",          FIELD_ADDRESS, AT(address),        NULL},
    [FIELD_MASK]             = {"Subnet Mask",         FIELD_ADDRESS, AT(mask),           NULL},
    [FIELD_TFTP1]            = {"TFTP Server 1",       FIELD_ADDRESS, AT(tftp[0]),        NULL},
    [FIELD_ROUTER]           = {"Default Router 1",    FIELD_ADDRESS, AT(router),         NULL},
    [FIELD_DNS]              = {"DNS Server 1",        FIELD_ADDRESS, AT(dns),            NULL},
    [FIELD_OPERATIONAL_VLAN] = {"Operational VLAN Id", FIELD_SHOWN,   0,                  show_vlan},
    [FIELD_ADMIN_VLAN]       = {"Admin. VLAN Id",      FIELD_VLAN,    AT(admin_vlan),     NULL},
    [FIELD_CM1]              = {"CallManager 1",       FIELD_SHOWN,   0,                  show_cm1},
    [FIELD_CM2]              = {"CallManager 2",       FIELD_SHOWN,   0,                  show_cm2},
    [FIELD_CM3]              = {"CallManager 3",       FIELD_SHOWN,   0,                  show_cm3},
    [FIELD_DHCP]             = {"DHCP Enabled",        FIELD_FLAG,    AT(dhcp),           NULL},
    [FIELD_TFTP2]            = {"TFTP Server 2",       FIELD_ADDRESS, AT(tftp[1]),        NULL},
    [FIELD_ALTERNATE]        = {"Alternate TFTP",      FIELD_FLAG,    AT(alternate_tftp), NULL},
    [FIELD_ERASE_ROW]        = {"Erase Configuration", FIELD_ERASE,   0,                  NULL},
};
/* clang-format on */

/* The first page differs: Settings, 3 is Network on 7940/60, Settings, 6 on the 7910. */
struct root_row {
    const char *name;
    enum menu_page page; /* MENU_OFF: this phone has it, there is nothing to see here */
};

/* clang-format off */
static const struct root_row root_7960[] = {{"Contrast", MENU_OFF}, {"Ring Type", MENU_OFF},
    {"Network Configuration", MENU_NETWORK}, {"Model Information", MENU_MODEL}, {"Status", MENU_STATUS}};
static const struct root_row root_7910[] = {{"Contrast", MENU_OFF}, {"Ring Type", MENU_OFF}, {"Volume", MENU_OFF},
    {"Status", MENU_STATUS}, {"Model Information", MENU_MODEL}, {"Network", MENU_NETWORK}};
static const struct root_row root_java[] = {{"User Preferences", MENU_OFF}, {"Network Configuration", MENU_NETWORK},
    {"Device Configuration", MENU_OFF}, {"Security Configuration", MENU_OFF}, {"Model Information", MENU_MODEL},
    {"Status", MENU_STATUS}};
/* clang-format on */

static const struct root_row *root_of(const struct menu *m, unsigned *n)
{
    switch (m->model->generation) {
    case MODEL_7910:
        *n = sizeof(root_7910) / sizeof(root_7910[0]);
        return root_7910;
    case MODEL_7940:
    case MODEL_7905:
        *n = sizeof(root_7960) / sizeof(root_7960[0]);
        return root_7960;
    default:
        *n = sizeof(root_java) / sizeof(root_java[0]);
        return root_java;
    }
}

static unsigned n_rows(const struct menu *m, const struct menu_view *v)
{
    unsigned n = 0;

    switch (m->page) {
    case MENU_ROOT:
        root_of(m, &n);
        return n;
    case MENU_NETWORK:
        return N_FIELDS;
    case MENU_STATUS:
        return v->n_messages;
    case MENU_MODEL:
        return 3;
    case MENU_ERASE:
    case MENU_OFF:
        break;
    }
    return 0;
}

static void turn_to(struct menu *m, enum menu_page page)
{
    m->page = page;
    m->cursor = m->top = 0;
    m->editing = false;
    m->typed[0] = 0;
}

void menu_init(struct menu *m, const struct model *model)
{
    *m = (struct menu){.model = model};
}

void menu_open(struct menu *m, const struct network *flash)
{
    m->draft = *flash;
    m->changed = false;
    m->last[0] = 0;
    turn_to(m, MENU_ROOT);
}

static void move(struct menu *m, const struct menu_view *v, int by)
{
    int n = (int)n_rows(m, v), at = m->cursor + by;

    if (at < 0 || at >= n)
        return;
    m->cursor = (uint8_t)at;
    if (m->cursor < m->top)
        m->top = m->cursor;
    if (m->cursor >= m->top + MENU_ROWS)
        m->top = (uint8_t)(m->cursor - MENU_ROWS + 1);
}

static const struct field_row *field_now(const struct menu *m)
{
    return m->page == MENU_NETWORK ? &fields[m->cursor] : NULL;
}

/* What may be changed now. */
static bool can_edit(const struct menu *m)
{
    const struct field_row *f = field_now(m);
    unsigned i = m->cursor;

    if (!f || !m->unlocked || f->kind == FIELD_SHOWN)
        return false;
    if (i == FIELD_TFTP1 || i == FIELD_TFTP2)
        return m->draft.alternate_tftp || !m->draft.dhcp;
    return f->kind != FIELD_ADDRESS || !m->draft.dhcp;
}

static bool take_typed(struct menu *m)
{
    const struct field_row *f = field_now(m);
    void *member = (char *)&m->draft + f->at;
    struct ip ip;
    uint32_t vlan;

    if (f->kind == FIELD_ADDRESS) {
        if (ip_parse(text_of(m->typed), &ip) < 0 || ip.family != 4)
            return false;
        *(struct ip *)member = ip;
    } else {
        if (text_to_u32(text_of(*m->typed ? m->typed : "0"), 10, &vlan) < 0 || vlan > 4094)
            return false;
        *(uint16_t *)member = (uint16_t)vlan;
    }
    m->changed = true;
    m->editing = false;
    return true;
}

static void type(struct menu *m, char key)
{
    size_t n = strlen(m->typed);

    if (key == '*')
        key = '.';
    if (key == '#' || n + 1 >= sizeof(m->typed) || n >= 15)
        return;
    m->typed[n] = key;
    m->typed[n + 1] = 0;
}

static enum menu_result select_row(struct menu *m)
{
    const struct root_row *root;
    unsigned n;

    if (m->page == MENU_ROOT) {
        root = root_of(m, &n);
        if (m->cursor < n && root[m->cursor].page != MENU_OFF)
            turn_to(m, root[m->cursor].page);
    } else if (can_edit(m) && field_now(m)->kind == FIELD_ERASE) {
        turn_to(m, MENU_ERASE);
    } else if (can_edit(m) && field_now(m)->kind != FIELD_FLAG) {
        m->editing = true;
        m->typed[0] = 0;
    }
    return MENU_STAYS;
}

static enum menu_result back(struct menu *m)
{
    if (m->editing) {
        m->editing = false;
    } else if (m->page == MENU_ROOT) {
        turn_to(m, MENU_OFF);
        m->unlocked = false; /* locked again when the menu is left */
        return MENU_CLOSED;
    } else {
        turn_to(m, m->page == MENU_ERASE ? MENU_NETWORK : MENU_ROOT);
    }
    return MENU_STAYS;
}

/* The last five keys: `**#` locks or unlocks, `**#**` restarts the phone. */
static enum menu_result sequences(struct menu *m, char key)
{
    size_t n = strlen(m->last);

    if (n == sizeof(m->last) - 1) {
        memmove(m->last, m->last + 1, n);
        n--;
    }
    m->last[n] = key;
    m->last[n + 1] = 0;
    if (text_ends(text_of(m->last), "**#**")) {
        turn_to(m, MENU_OFF);
        m->unlocked = false;
        return MENU_RESET;
    }
    if (text_ends(text_of(m->last), "**#"))
        m->unlocked = !m->unlocked;
    return MENU_STAYS;
}

enum menu_result menu_key(struct menu *m, const struct menu_view *v, char key)
{
    unsigned n;

    if (m->editing && ((key >= '0' && key <= '9') || key == '*' || key == '#')) {
        type(m, key);
        return MENU_STAYS;
    }
    if (key != '*' && key != '#')
        m->last[0] = 0;
    switch (key) {
    case 'U':
        move(m, v, -1);
        return MENU_STAYS;
    case 'D':
        move(m, v, 1);
        return MENU_STAYS;
    case 'S':
        if (m->editing) {
            take_typed(m);
            return MENU_STAYS;
        }
        return select_row(m);
    case 'B':
        return back(m);
    case '*':
    case '#':
        return sequences(m, key);
    default:
        n = (unsigned)(key - '1');
        if (m->page == MENU_ROOT && key >= '1' && key <= '9' && n < n_rows(m, v)) {
            m->cursor = (uint8_t)n;
            return select_row(m);
        }
        return MENU_STAYS;
    }
}

static void set_flag(struct menu *m, bool on)
{
    bool *member = (bool *)((char *)&m->draft + field_now(m)->at);

    m->changed |= *member != on;
    *member = on;
}

unsigned menu_softkeys(const struct menu *m, const char *labels[4])
{
    const struct field_row *f = field_now(m);
    unsigned n = 0;

    if (m->page == MENU_ERASE) {
        labels[n++] = "Yes";
        labels[n++] = "No";
    } else if (m->editing) {
        labels[n++] = "Validat";
        labels[n++] = "<<";
        labels[n++] = "Cancel";
    } else if (m->page == MENU_NETWORK) {
        if (can_edit(m) && f->kind == FIELD_FLAG) {
            labels[n++] = "Yes";
            labels[n++] = "No";
        } else if (can_edit(m)) {
            labels[n++] = f->kind == FIELD_ERASE ? "Erase" : "Edit";
        }
        if (m->changed)
            labels[n++] = "Save";
        labels[n++] = "Exit";
    } else {
        if (m->page == MENU_ROOT)
            labels[n++] = "Select";
        labels[n++] = "Exit";
    }
    return n;
}

static enum menu_result save(struct menu *m)
{
    turn_to(m, MENU_OFF);
    m->unlocked = false;
    return MENU_SAVED;
}

enum menu_result menu_softkey(struct menu *m, const struct menu_view *v, unsigned n)
{
    const char *labels[4];
    unsigned count = menu_softkeys(m, labels);
    struct text label = text_of(n < count ? labels[n] : "");
    size_t typed = strlen(m->typed);

    if (text_is(label, "Exit") || text_is(label, "Cancel") ||
        (m->page == MENU_ERASE && text_is(label, "No")))
        return back(m);
    if (text_is(label, "Save"))
        return save(m);
    if (m->page == MENU_ERASE && text_is(label, "Yes")) {
        turn_to(m, MENU_OFF);
        m->unlocked = false;
        return MENU_ERASED;
    }
    if (text_is(label, "Yes") || text_is(label, "No"))
        set_flag(m, text_is(label, "Yes"));
    else if (text_is(label, "<<") && typed)
        m->typed[typed - 1] = 0;
    else if (label.len && !text_is(label, "<<"))
        return menu_key(m, v, 'S');
    return MENU_STAYS;
}

/* Fields show what is in use, once something was changed the draft. */
static void print_field(const struct menu *m, const struct menu_view *v, unsigned i,
                        char row[MENU_WIDTH + 1])
{
    const struct field_row *f = &fields[i];
    const struct network *n = m->changed || !m->draft.dhcp ? &m->draft : v->now;
    const void *member = (const char *)n + f->at;
    char value[32] = "", text[IP_TEXT_MAX];

    if (m->editing && m->cursor == i)
        snprintf(value, sizeof(value), "%s_", m->typed);
    else if (f->show)
        f->show(v, value, sizeof(value));
    else if (f->kind == FIELD_ADDRESS)
        snprintf(value, sizeof(value), "%.15s",
                 ip_is_any(*(const struct ip *)member)
                     ? ""
                     : ip_print(*(const struct ip *)member, text));
    else if (f->kind == FIELD_FLAG)
        strcpy(value, *(const bool *)((const char *)&m->draft + f->at) ? "YES" : "NO");
    else if (f->kind == FIELD_VLAN && m->draft.admin_vlan)
        snprintf(value, sizeof(value), "%u", m->draft.admin_vlan);
    snprintf(row, MENU_WIDTH + 1, "%2u %-19.19s %.16s", (i + 1) % 100, f->name, value);
}

static void print_row(const struct menu *m, const struct menu_view *v, unsigned i,
                      char row[MENU_WIDTH + 1])
{
    const struct root_row *root;
    unsigned n;

    switch (m->page) {
    case MENU_ROOT:
        root = root_of(m, &n);
        snprintf(row, MENU_WIDTH + 1, "%u %s", i + 1, root[i].name);
        break;
    case MENU_NETWORK:
        print_field(m, v, i, row);
        break;
    case MENU_STATUS:
        snprintf(row, MENU_WIDTH + 1, "%.40s", v->messages[i]);
        break;
    case MENU_MODEL:
        if (i == 0)
            snprintf(row, MENU_WIDTH + 1, "Model Number   CP-%s", m->model->name);
        else if (i == 1)
            snprintf(row, MENU_WIDTH + 1, "MAC Address    %012llX",
                     (unsigned long long)mac_number(v->mac));
        else
            snprintf(row, MENU_WIDTH + 1, "App Load ID    %.24s", v->load);
        break;
    case MENU_ERASE:
    case MENU_OFF:
        row[0] = 0;
        break;
    }
}

unsigned menu_print(const struct menu *m, const struct menu_view *v, char title[MENU_WIDTH + 1],
                    char rows[MENU_ROWS][MENU_WIDTH + 1], int *cursor)
{
    static const char *const titles[] = {"",
                                         "SETTINGS",
                                         "NETWORK CONFIGURATION",
                                         "STATUS MESSAGES",
                                         "MODEL INFORMATION",
                                         "ERASE CONFIGURATION"};
    unsigned n = n_rows(m, v), shown = 0;

    snprintf(title, MENU_WIDTH + 1, "%s%s", titles[m->page], m->unlocked ? "  (unlocked)" : "");
    *cursor = m->page == MENU_MODEL || m->page == MENU_ERASE ? -1 : m->cursor - m->top;
    if (m->page == MENU_ERASE) {
        snprintf(rows[0], MENU_WIDTH + 1, "Forget all settings and restart?");
        return 1;
    }
    for (; shown < MENU_ROWS && m->top + shown < n; shown++)
        print_row(m, v, m->top + shown, rows[shown]);
    return shown;
}
