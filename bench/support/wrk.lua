-- One leg of load for wrk. The arguments are the method, the body (may be empty) and the paths, which are requested in turn.
-- Only `done` runs Lua for a single path, so the script costs nothing per request.

function init(arguments)
  wrk.method = arguments[1]
  if arguments[2] ~= "" then wrk.body = arguments[2] end
  wrk.path = arguments[3]
  local paths = #arguments - 2
  if paths == 1 then return end

  local requests = {}
  for index = 1, paths do requests[index] = wrk.format(nil, arguments[index + 2]) end
  local last = 0
  request = function()
    last = last % paths + 1
    return requests[last]
  end
end

function done(summary)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests":%d,"bytes":%d,"seconds":%f,"failures":%d}\n',
    summary.requests, summary.bytes, summary.duration / 1e6,
    errors.connect + errors.read + errors.write + errors.timeout + errors.status
  ))
end
