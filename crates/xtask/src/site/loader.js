// Parts come together in packs (crates/xtask/src/site/packs.rs): a table of what lies where, then the parts themselves.
const packs = new Map();
function pack(name) {
    let coming = packs.get(name);
    if (coming === undefined) {
        coming = (async () => {
            const answer = await fetch(new URL(`./${name}.wasm`, import.meta.url));
            if (!answer.ok) throw new Error(`${name} could not be fetched: ${answer.status}`);
            const bytes = await answer.arrayBuffer();
            const length = new DataView(bytes).getUint32(0, true);
            const table = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 4, length)));
            return { bytes, start: 4 + length, table };
        })();
        packs.set(name, coming);
        // What did not come is asked for again by whoever wants it next.
        coming.catch(() => packs.delete(name));
    }
    return coming;
}
// Each part once, in whichever pack it came first.
const parts = new Map();
function part(name, { bytes, start, table }) {
    let coming = parts.get(name);
    if (coming === undefined) {
        const [from, to] = table.holds[name];
        coming = WebAssembly.instantiate(new Uint8Array(bytes, start + from, to - from), getSharedImports());
        parts.set(name, coming);
        coming.catch(() => parts.delete(name));
    }
    return coming;
}
function feature(own, shared) {
    let loading;
    return () => {
        if (loading === undefined) {
            const thisLoad = (async () => {
                const [mine, ...common] = await Promise.all([own, ...shared].map(pack));
                const where = (name) => [mine, ...common].find((one) => name in one.table.holds);
                await Promise.all(mine.table.needs.map((name) => part(name, where(name))));
                await part(mine.table.entry, where(mine.table.entry));
                packs.delete(own);
            })();
            loading = thisLoad;
            thisLoad.catch(() => { loading = undefined; });
        }
        return loading;
    };
}
