"""Choosing files and folders to upload, with the folders' structure kept (Gradio's own file field drops it).

The value is JSON: `[{"file": where the server put it, "path": the path below the chosen folder}]`. It comes from the
browser, so whoever reads it must check that each file is one that was uploaded.
"""

from __future__ import annotations

import gradio as gr

_TEMPLATE = """<div class="wb-drop"><p>Drop files or a folder here, or</p>
<div><label>Choose files<input type="file" multiple aria-label="Choose files"></label>
<label>Choose a folder<input type="file" webkitdirectory multiple aria-label="Choose a folder"></label></div>
<p class="wb-drop-said" role="status"></p><ul></ul></div>"""

_SCRIPT = """
let files = [];
const size = (n) => n >= 1e6 ? (n / 1e6).toFixed(1) + ' MB' : n >= 1e3 ? (n / 1e3).toFixed(1) + ' kB' : n + ' bytes';
const draw = (said) => {
  const list = element.querySelector('ul');
  if (!list) return;
  list.replaceChildren(...files.slice(0, 50).map((one) => {
    const item = document.createElement('li');
    item.textContent = one.path + ' · ' + size(one.bytes);
    return item;
  }));
  const all = files.reduce((sum, one) => sum + one.bytes, 0);
  const plural = files.length === 1 ? ' file, ' : ' files, ';
  element.querySelector('.wb-drop-said').textContent = said || (files.length ? files.length + plural + size(all) : '');
};
const take = async (chosen) => {
  let number = 0, problem = '';
  for (const [file, path] of chosen) {
    number += 1;
    draw('Reading ' + number + ' of ' + chosen.length + ': ' + path);
    try {
      const stored = await upload(file);
      files = files.filter((one) => one.path !== path).concat({ file: stored.path, path: path, bytes: file.size });
    } catch (error) {
      problem = path + ' was not taken: it is too large, or the connection failed.';
    }
  }
  props.value = JSON.stringify(files.map((one) => ({ file: one.file, path: one.path })));
  draw(problem);
};
const walk = async (entry, above) => {
  if (entry.isFile) return [[await new Promise((done, fail) => entry.file(done, fail)), above + entry.name]];
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    const some = await new Promise((done, fail) => reader.readEntries(done, fail));
    if (!some.length) return found;
    for (const one of some) found.push(...await walk(one, above + entry.name + '/'));
  }
};
element.addEventListener('change', (event) => {
  if (event.target.type !== 'file') return;
  const below = (file) => file.webkitRelativePath ? file.webkitRelativePath.split('/').slice(1).join('/') : file.name;
  const chosen = Array.from(event.target.files).map((file) => [file, below(file)]);
  event.target.value = '';
  take(chosen);
});
element.addEventListener('dragover', (event) => event.preventDefault());
element.addEventListener('drop', async (event) => {
  event.preventDefault();
  const entries = Array.from(event.dataTransfer.items).map((item) => item.webkitGetAsEntry()).filter(Boolean);
  const chosen = [];
  for (const entry of entries) {
    const found = await walk(entry, '');
    chosen.push(...found.map(([file, path]) => [file, entry.isDirectory ? path.split('/').slice(1).join('/') : path]));
  }
  take(chosen);
});
watch('value', () => { if (!props.value || props.value === '[]') { files = []; } draw(); });
"""


def file_drop(elem_id: str) -> gr.HTML:
    """Place the field on the page being built."""
    return gr.HTML("[]", html_template=_TEMPLATE, js_on_load=_SCRIPT, padding=False, elem_id=elem_id)
