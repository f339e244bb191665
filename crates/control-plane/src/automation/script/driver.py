# Calls the handler of a script of aws:executeScript with what comes through standard input, and writes what it returns to
# standard output. What the script prints goes to standard error.
import json
import os
import sys
import traceback

answers = os.dup(1)
os.dup2(2, 1)
given = json.loads(sys.stdin.buffer.read())
os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
names = {"__name__": "script", "__builtins__": __builtins__}
try:
    exec(compile(given["script"], "script", "exec"), names)
    handler = names.get(given["handler"])
    if not callable(handler):
        sys.exit("The script has no function %r, which its input Handler names." % given["handler"])
    answer = json.dumps({"Payload": handler(given["events"], given["context"])})
except Exception as error:
    # The first frame is this file's own.
    traceback.print_exception(type(error), error, error.__traceback__ and error.__traceback__.tb_next)
    sys.exit(1)
sys.stdout.flush()
data = answer.encode()
while data:
    data = data[os.write(answers, data):]
