--[[ commit.lua
  Records a step together with what it says. A step that says nothing needs no script: appending to the owned journal
  is fenced by its name. Safe to repeat: the line is recorded once and its effects happen with it.
  KEYS  own         hash lane → state
        owned       list, the journal while the token owns it
  ARGV  tag         the partition's hash tag
        line        the journal line; then effects (lib-effects.lua)
  Reply "recorded" | "lost" ]]
local own, owned = KEYS[1], KEYS[2]
local tag = ARGV[1]
--@include lib-mail.lua
--@include lib-effects.lua
if redis.call("LPOS", owned, ARGV[2]) then return "recorded" end
if redis.call("RPUSHX", owned, ARGV[2]) == 0 then return "lost" end
effects(3)
return "recorded"
