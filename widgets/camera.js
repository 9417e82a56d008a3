// The view of widgets.camera.Camera: what the camera sees, and a photo of it.

const WANTED = { video: { width: { ideal: 1280 }, height: { ideal: 960 } } };
const QUALITY = 0.92; // of the JPEG file, without visible losses

function button(label) {
  const made = document.createElement("button");
  made.className = "lm-Widget jupyter-widgets jupyter-button widget-button";
  made.textContent = label;
  made.hidden = true;
  return made;
}

/** The stream of the camera; what is wrong has the name of an error. */
async function stream() {
  if (!navigator.mediaDevices) throw new DOMException("", "InsecureError"); // not offered by http:// elsewhere
  return navigator.mediaDevices.getUserMedia(WANTED);
}

async function photo(video) {
  const canvas = document.createElement("canvas");
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  canvas.getContext("2d").drawImage(video, 0, 0);
  const file = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", QUALITY));
  return file.arrayBuffer();
}

function render({ model, el }) {
  const [open, take, close] = ["Camera", "Take the photo", "Close"].map(button);
  const video = document.createElement("video");
  let asked = 0; // grows with each opening and closing: a permission that comes too late opens nothing
  let running = null;

  const show = (live) => {
    open.hidden = live;
    take.hidden = close.hidden = video.hidden = !live;
    el.classList.toggle("cb-live", live);
  };
  const end = () => {
    asked++;
    running?.getTracks().forEach((track) => track.stop());
    running = video.srcObject = null;
    show(false);
  };

  open.addEventListener("click", async () => {
    const number = ++asked;
    try {
      const opened = await stream();
      if (number !== asked) return opened.getTracks().forEach((track) => track.stop());
      running = video.srcObject = opened;
      await video.play();
    } catch (error) {
      if (number !== asked) return;
      end();
      model.send({ failed: error.name });
      return;
    }
    show(true);
    take.focus();
  });
  take.addEventListener("click", async () => {
    const content = await photo(video);
    end();
    model.send({ taken: true }, undefined, [content]);
    open.focus();
  });
  close.addEventListener("click", () => {
    end();
    open.focus();
  });

  video.muted = video.playsInline = true;
  video.setAttribute("aria-label", "what the camera sees");
  take.classList.add("mod-primary");
  el.append(video, open, take, close);
  show(false);
  return end;
}

export default { render };
