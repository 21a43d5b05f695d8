/* The symbol is there, but it is code. */
int dun_target_a_function(void);
int dun_target_a_function(void)
{
  return 1;
}
