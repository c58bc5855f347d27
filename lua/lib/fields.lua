--[[
fields -- where each field of a record stands. Records are msgpack arrays; the package's `model` lists the
same fields in the same order, and a test holds the two together. The names are replaced by the numbers
where the script is put together.
--]]
local P_INDEX, P_ITEM, P_CAP, P_FREE, P_HELD, P_SOLD, P_WITHHELD, P_LEASED, P_LANE_COUNT,
  P_REMOVED = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
local I_INDEX, I_CAP, I_PRICE, I_LIMIT, I_MOST, I_SERIAL = 1, 2, 3, 4, 5, 6
local F_SEQ, F_USED, F_MAKEGOOD, F_HOLDS, F_ENTRIES, F_ORDERS, F_LAST = 1, 2, 3, 4, 5, 6, 7
local H_FAN, H_POOL, H_QTY, H_PRICE, H_ORIGIN, H_STATE, H_START_MS, H_DEADLINE_MS, H_ENTRY,
  H_CLAIMED, H_EXTENDED, H_BEGAN, H_LOOKED, H_KEY = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14
local O_FAN, O_POOL, O_QTY, O_AMOUNT, O_SERIALS, O_CHARGE, O_STATE, O_AT_MS = 1, 2, 3, 4, 5, 6, 7, 8
local E_FAN, E_N, E_QTY, E_POOLS, E_LANE, E_POINTS, E_STATE, E_LAPSES, E_HOLD, E_READY, E_COOL_MS,
  E_KEY = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12
