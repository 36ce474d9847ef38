import type { ComponentType } from "preact";

/** `island()` in an island's own module: the component and nothing else. The props' schema stayed behind at the build. */
export function island<Props>(
  _name: string,
  _props: unknown,
  component: ComponentType<Props>,
): ComponentType<Props> {
  return component;
}
