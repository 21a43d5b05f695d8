/* The symbol is there, but it is a number. */
extern const int dun_target_no_table;
const int dun_target_no_table = 1;
