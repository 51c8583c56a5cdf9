#include "station/graph.h"

static void print_arrows(struct writer *w, const struct state_words *states, const char *event,
                         const struct graph_row *row)
{
    for (size_t from = 0; from < N_STATION_STATES; from++)
        if (row->in & 1u << from && row->to != SAME && (row->to & ~AGAIN) != from)
            write_format(w, "    %s --> %s : %s\n", states[from].name,
                         states[row->to & ~AGAIN].name, event);
}

static void print_row(struct writer *w, const struct state_words *states, const char *event,
                      const struct graph_row *row)
{
    const char *separator = "| ";

    for (size_t from = 0; from < N_STATION_STATES; from++)
        if (row->in & 1u << from) {
            write_format(w, "%s%s", separator, states[from].name);
            separator = ", ";
        }
    write_format(w, " | %s | %s | %s |\n", event, row->words,
                 row->to == SAME ? "stays" : states[row->to & ~AGAIN].name);
}

void graph_print(struct writer *w, const struct state_words *states, const char *const *events,
                 const struct graph_row *rows, size_t n)
{
    write_format(w, "```mermaid\nstateDiagram-v2\n    [*] --> %s\n", states[0].name);
    for (size_t i = 0; i < n; i++)
        print_arrows(w, states, events[rows[i].on], &rows[i]);
    write_string(w, "    closed --> [*]\n```\n\n| state | ends by itself after |\n| --- | --- |\n");
    for (size_t i = 0; i < STATION_CLOSED; i++)
        if (states[i].timeout[0])
            write_format(w, "| %s | %s |\n", states[i].name, states[i].timeout);
    write_string(w, "\nThe first row that fits is taken.\n\n"
                    "| in | on | when, and what is done | then |\n| --- | --- | --- | --- |\n");
    for (size_t i = 0; i < n; i++)
        print_row(w, states, events[rows[i].on], &rows[i]);
}
