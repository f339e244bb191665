"""A program on a terminal of its own, as a person sits before it."""

import asyncio
import fcntl
import os
import pty
import re
import signal
import struct
import termios


class Terminal:
    """Types and reads; the output is kept until it is cleared."""

    def __init__(self, size):
        self.main, self.side = pty.openpty()
        self.output = bytearray()
        self.is_over = False
        self.news = asyncio.Event()
        self.process = None
        self._set(size)
        os.set_blocking(self.main, False)

    async def run(self, *command, **more):
        self.process = await asyncio.create_subprocess_exec(
            *command, stdin=self.side, stdout=self.side, stderr=self.side, start_new_session=True, **more
        )
        os.close(self.side)
        asyncio.get_running_loop().add_reader(self.main, self._read)
        return self

    def _read(self):
        try:
            data = os.read(self.main, 65536)
        except BlockingIOError:
            return
        except OSError:
            # What Linux says when the last program has left the terminal.
            data = b""
        self.output += data
        if not data:
            self.is_over = True
            asyncio.get_running_loop().remove_reader(self.main)
        self.news.set()

    def _set(self, size):
        columns, rows = size
        fcntl.ioctl(self.main, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def resize(self, columns, rows):
        self._set((columns, rows))
        self.process.send_signal(signal.SIGWINCH)

    def type(self, text):
        os.write(self.main, text)

    async def until(self, what, condition, seconds=30):
        """Waits until `condition()` holds; the program's end is what it waits for at the latest."""

        async def wait():
            while not condition():
                assert not self.is_over, f"{what}: it ended; shown {bytes(self.output[-600:])!r}"
                self.news.clear()
                await self.news.wait()

        try:
            await asyncio.wait_for(wait(), seconds)
        except asyncio.TimeoutError:
            raise AssertionError(f"{what}: not within {seconds} s; shown {bytes(self.output[-600:])!r}") from None

    async def expect(self, pattern, seconds=30):
        """Waits until the output holds the pattern."""
        await self.until(f"output {pattern!r}", lambda: re.search(pattern, self.output), seconds)

    async def command(self, text, pattern, seconds=30):
        """Types a line; its answer must not be in the line itself, which the terminal shows as well."""
        self.output.clear()
        self.type(text.encode() + b"\n")
        await self.expect(pattern, seconds)

    async def ended(self, seconds=30):
        """Waits for the program's end; gives its exit code."""
        await self.until("the end", lambda: self.is_over, seconds)
        os.close(self.main)
        return await asyncio.wait_for(self.process.wait(), seconds)
