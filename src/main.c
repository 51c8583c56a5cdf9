/* main.c - the table of subcommands. */
#include <stdio.h>

int main(void)
{
    puts("dialtone " DIALTONE_VERSION);
    return 0;
}
