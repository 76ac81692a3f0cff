/** The whole screen for the picture and its buttons; these show when the pointer moves, and go when it rests. */
import type { RefObject } from 'preact';
import { useEffect, useState } from 'preact/hooks';

const restMs = 3000;

/** A phone that gives no other element the whole screen gives it to the video. */
interface PhoneVideo extends HTMLVideoElement {
  webkitEnterFullscreen?(): void;
}

export function useFullscreen(
  stage: RefObject<HTMLElement>,
  video: RefObject<HTMLVideoElement>,
): { readonly isFullscreen: boolean; toggle(): void } {
  const [isFullscreen, setFullscreen] = useState(false);
  const toggle = (): void => {
    if (document.fullscreenElement) void document.exitFullscreen();
    else if (stage.current?.requestFullscreen) void stage.current.requestFullscreen();
    else (video.current as PhoneVideo | null)?.webkitEnterFullscreen?.();
  };
  useEffect(() => {
    const element = stage.current!;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const changed = (): void => setFullscreen(document.fullscreenElement === element);
    const moved = (): void => {
      element.dataset.awake = '';
      clearTimeout(timer);
      timer = setTimeout(() => delete element.dataset.awake, restMs);
    };
    const pressedTwice = (event: MouseEvent): void => {
      if (event.target === video.current) toggle();
    };
    document.addEventListener('fullscreenchange', changed);
    element.addEventListener('dblclick', pressedTwice);
    element.addEventListener('pointermove', moved);
    element.addEventListener('pointerdown', moved);
    return () => {
      clearTimeout(timer);
      document.removeEventListener('fullscreenchange', changed);
      element.removeEventListener('dblclick', pressedTwice);
      element.removeEventListener('pointermove', moved);
      element.removeEventListener('pointerdown', moved);
      if (document.fullscreenElement === element) void document.exitFullscreen();
    };
  }, [stage]);
  return { isFullscreen, toggle };
}
