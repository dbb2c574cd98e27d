"""What the Redis store does in one step each: Lua, which Redis runs whole or not at all.

Every script is given the prefix of the keys and its arguments, long ones as JSON. Numbers that are written come as
text: Lua would print the large ones as fractions.
"""

from typing import Final

#: Shared by all: names of keys, and who a visitor is by now.
_BASE: Final = """
local P = KEYS[1]
local function owner(user, visitor)
  if user then return 'u:' .. user end
  local merged = redis.call('HGET', P .. 'merges', visitor)
  return merged and ('u:' .. merged) or ('a:' .. visitor)
end
local function trim(of, most)
  for _, what in ipairs({'shown:', 'did:'}) do
    redis.call('ZREMRANGEBYRANK', P .. what .. of, 0, -(most + 1))
  end
end
local function forget(position)
  local key = P .. 'event:' .. position
  local id, user, visitor = unpack(redis.call('HMGET', key, 'id', 'user', 'visitor'))
  if id then redis.call('HDEL', P .. 'ids', id) end
  if user then redis.call('ZREM', P .. 'of:u:' .. user, position) end
  if visitor then redis.call('ZREM', P .. 'of:a:' .. visitor, position) end
  redis.call('DEL', key)
  for _, list in ipairs({'arrived', 'queued', 'drained'}) do redis.call('ZREM', P .. list, position) end
end
"""

ADD_EVENTS: Final = (
    _BASE
    + """
local now, most, fresh = ARGV[1], tonumber(ARGV[2]), {}
for number, row in ipairs(cjson.decode(ARGV[3])) do
  if redis.call('HEXISTS', P .. 'ids', row.id) == 1 then
    fresh[number] = 0
  else
    local position = redis.call('INCR', P .. 'position')
    local key = P .. 'event:' .. position
    redis.call('HSET', P .. 'ids', row.id, position)
    redis.call('HSET', key, 'id', row.id, 'kind', row.kind, 'counts_at', row.counts_at, 'payload', row.payload,
      'received_at', now)
    if row.user then
      redis.call('HSET', key, 'user', row.user)
      redis.call('ZADD', P .. 'of:u:' .. row.user, position, position)
    else
      redis.call('HSET', key, 'visitor', row.visitor)
      redis.call('ZADD', P .. 'of:a:' .. row.visitor, position, position)
    end
    redis.call('ZADD', P .. 'arrived', position, position)
    redis.call('ZADD', P .. 'queued', position, position)
    if row.recent then
      local whose = owner(row.user, row.visitor)
      redis.call('ZADD', P .. row.list .. whose, row.time, string.format('%020d', position) .. row.recent)
      trim(whose, most)
    end
    fresh[number] = 1
  end
end
return fresh
"""
)

DRAINED: Final = (
    _BASE
    + """
for _, position in ipairs(cjson.decode(ARGV[1])) do
  local key = P .. 'event:' .. position
  local received = redis.call('HGET', key, 'received_at')
  if received then
    redis.call('HDEL', key, 'payload')
    redis.call('ZREM', P .. 'queued', position)
    redis.call('ZADD', P .. 'drained', received, position)
  end
end
for _, position in ipairs(redis.call('ZRANGEBYSCORE', P .. 'drained', '-inf', '(' .. ARGV[2], 'LIMIT', 0, 10000)) do
  forget(position)
end
"""
)

RECENT: Final = (
    _BASE
    + """
local visitor = ARGV[2] ~= '' and ARGV[2] or nil
local whose = owner(visitor == nil and ARGV[1] or nil, visitor)
return {redis.call('ZRANGE', P .. 'shown:' .. whose, 0, -1, 'WITHSCORES'),
  redis.call('ZRANGE', P .. 'did:' .. whose, 0, -1, 'WITHSCORES')}
"""
)

QUEUED: Final = (
    _BASE
    + """
local found = {}
for _, position in ipairs(redis.call('ZRANGE', P .. 'queued', 0, tonumber(ARGV[1]) - 1)) do
  found[#found + 1] = {position, redis.call('HGET', P .. 'event:' .. position, 'payload')}
end
return found
"""
)

ARRIVALS: Final = (
    _BASE
    + """
local found = {}
for _, position in ipairs(redis.call('ZRANGEBYSCORE', P .. 'arrived', '(' .. ARGV[1], '+inf', 'LIMIT', 0, ARGV[2])) do
  local key = P .. 'event:' .. position
  local user, visitor, kind, at = unpack(redis.call('HMGET', key, 'user', 'visitor', 'kind', 'counts_at'))
  if not user and visitor then user = redis.call('HGET', P .. 'merges', visitor) end
  found[#found + 1] = {position, user or false, kind, at}
end
return found
"""
)

QUEUED_OF: Final = (
    _BASE
    + """
local found = {}
local function take(list, user)
  for _, position in ipairs(redis.call('ZRANGEBYSCORE', P .. 'of:' .. list, '-inf', ARGV[2])) do
    local payload = redis.call('HGET', P .. 'event:' .. position, 'payload')
    if payload then found[#found + 1] = {position, payload, user} end
  end
end
for _, user in ipairs(cjson.decode(ARGV[1])) do
  take('u:' .. user, false)
  for _, visitor in ipairs(redis.call('SMEMBERS', P .. 'devices:' .. user)) do take('a:' .. visitor, user) end
end
return found
"""
)

MERGE: Final = (
    _BASE
    + """
local visitor, user, most, login = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
local before = redis.call('HGET', P .. 'merges', visitor)
redis.call('HSET', P .. 'merges', visitor, user)
if before then redis.call('SREM', P .. 'devices:' .. before, visitor) end
redis.call('SADD', P .. 'devices:' .. user, visitor)
local moved = 0
for _, what in ipairs({'shown:', 'did:'}) do
  local from, to = P .. what .. 'a:' .. visitor, P .. what .. 'u:' .. user
  moved = moved + redis.call('ZCARD', from)
  redis.call('ZUNIONSTORE', to, 2, to, from)
  redis.call('DEL', from)
end
trim('u:' .. user, most)
if before ~= user then
  redis.call('ZADD', P .. 'logins', redis.call('INCR', P .. 'login'), login)
end
return {moved, before or false}
"""
)

SET_CONSENT: Final = (
    _BASE
    + """
local user, said = ARGV[1], cjson.decode(ARGV[2])
local key = P .. 'consent:' .. user
for name, value in pairs(said) do redis.call('HSET', key, name, value) end
redis.call('ZADD', P .. 'consents', redis.call('INCR', P .. 'revision:consents'), user)
"""
)

CONSENTS: Final = (
    _BASE
    + """
local found = {}
local rows = redis.call('ZRANGEBYSCORE', P .. 'consents', '(' .. ARGV[1], '+inf', 'WITHSCORES')
for place = 1, #rows, 2 do
  local said = redis.call('HMGET', P .. 'consent:' .. rows[place], 'personalization', 'marketing')
  found[#found + 1] = {rows[place + 1], rows[place], said[1], said[2]}
end
return found
"""
)

PUT: Final = (
    _BASE
    + """
local kind = ARGV[1]
for _, change in ipairs(cjson.decode(ARGV[2])) do
  for name, value in pairs(change.fields) do redis.call('HSET', P .. kind .. ':' .. change.id, name, value) end
  redis.call('ZADD', P .. kind .. 's', redis.call('INCR', P .. 'revision:' .. kind), change.id)
end
"""
)

SINCE: Final = (
    _BASE
    + """
local kind, found = ARGV[1], {}
local rows = redis.call('ZRANGEBYSCORE', P .. kind .. 's', '(' .. ARGV[2], '+inf', 'WITHSCORES')
for place = 1, #rows, 2 do
  found[#found + 1] = {rows[place + 1], rows[place], redis.call('HGETALL', P .. kind .. ':' .. rows[place])}
end
return found
"""
)

KEEP_ANSWER: Final = (
    _BASE
    + """
local name, now, most = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local key = P .. 'answer:' .. name
local ends = redis.call('HGET', key, 'expires_at')
if not ends or tonumber(ends) <= now then
  redis.call('HSET', key, 'fingerprint', ARGV[4], 'status', ARGV[5], 'body', ARGV[6], 'expires_at', ARGV[7])
  redis.call('ZADD', P .. 'answers', redis.call('INCR', P .. 'answer'), name)
  local surplus = redis.call('ZCARD', P .. 'answers') - most
  if surplus > 0 then
    for _, old in ipairs(redis.call('ZRANGE', P .. 'answers', 0, surplus - 1)) do
      redis.call('DEL', P .. 'answer:' .. old)
      redis.call('ZREM', P .. 'answers', old)
    end
  end
end
"""
)

DROP_PROFILES: Final = (
    _BASE
    + """
local dropped = 0
for _, user in ipairs(redis.call('SMEMBERS', P .. 'profiles')) do
  local as_of, spec = unpack(redis.call('HMGET', P .. 'profile:' .. user, 'as_of', 'spec_hash'))
  if tonumber(as_of) < tonumber(ARGV[1]) or spec ~= ARGV[2] then
    redis.call('DEL', P .. 'profile:' .. user)
    redis.call('SREM', P .. 'profiles', user)
    dropped = dropped + 1
  end
end
return dropped
"""
)

REVOKE: Final = (
    _BASE
    + """
local key = P .. 'key:' .. ARGV[1]
if redis.call('EXISTS', key) == 0 then return 0 end
local ends = redis.call('HGET', key, 'revoked_at')
if ends and tonumber(ends) <= tonumber(ARGV[2]) then return 0 end
redis.call('HSET', key, 'revoked_at', ARGV[2])
return 1
"""
)

#: Counts the records of some users and visitors, and takes them out where the last argument says so. Users come twice,
#: the second time quoted as in the answers that were kept: Lua would quote some characters another way.
ERASE: Final = (
    _BASE
    + """
local users, visitors, quoted = cjson.decode(ARGV[1]), cjson.decode(ARGV[2]), cjson.decode(ARGV[3])
local really = ARGV[4] == '1'
local count, is_user, is_visitor = 0, {}, {}
for _, user in ipairs(users) do
  is_user[user] = true
  for _, visitor in ipairs(redis.call('SMEMBERS', P .. 'devices:' .. user)) do visitors[#visitors + 1] = visitor end
end
local different = {}
for _, visitor in ipairs(visitors) do
  if not is_visitor[visitor] then different[#different + 1] = visitor end
  is_visitor[visitor] = true
end
visitors = different
local function gone(records, ...)
  count = count + records
  if really and records > 0 then redis.call(...) end
end
local function events(list)
  for _, position in ipairs(redis.call('ZRANGE', P .. 'of:' .. list, 0, -1)) do
    count = count + 1
    if really then forget(position) end
  end
end
local function recent(whose)
  for _, what in ipairs({'shown:', 'did:'}) do
    local key = P .. what .. whose
    gone(redis.call('ZCARD', key), 'DEL', key)
  end
end
for _, visitor in ipairs(visitors) do recent('a:' .. visitor) events('a:' .. visitor) end
for _, user in ipairs(users) do
  recent('u:' .. user)
  events('u:' .. user)
  gone(redis.call('EXISTS', P .. 'profile:' .. user), 'DEL', P .. 'profile:' .. user)
  if really then redis.call('SREM', P .. 'profiles', user) end
  for _, kind in ipairs({'consent', 'user'}) do
    if redis.call('ZSCORE', P .. kind .. 's', user) then
      gone(1, 'ZREM', P .. kind .. 's', user)
      if really then redis.call('DEL', P .. kind .. ':' .. user) end
    end
  end
end
for _, login in ipairs(redis.call('ZRANGE', P .. 'logins', 0, -1)) do
  local told = cjson.decode(login)
  if is_user[told.user_id] or is_visitor[told.anonymous_id] then gone(1, 'ZREM', P .. 'logins', login) end
end
for _, name in ipairs(redis.call('ZRANGE', P .. 'answers', 0, -1)) do
  local body = redis.call('HGET', P .. 'answer:' .. name, 'body')
  for _, user in ipairs(quoted) do
    if body and string.find(body, user, 1, true) then
      gone(1, 'ZREM', P .. 'answers', name)
      if really then redis.call('DEL', P .. 'answer:' .. name) end
      break
    end
  end
end
for _, visitor in ipairs(visitors) do
  local user = redis.call('HGET', P .. 'merges', visitor)
  if user then
    gone(1, 'HDEL', P .. 'merges', visitor)
    if really then redis.call('SREM', P .. 'devices:' .. user, visitor) end
  end
end
return count
"""
)
