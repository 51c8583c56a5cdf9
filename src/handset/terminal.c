#include "handset/handset.h"
int terminal_run(struct handset *h)
{
    return headless_run(h, false, 0);
}
