// @ts-check
import { Component, h } from "preact";

/**
 * A component that is drawn again only when one of its properties changed: a long conversation is not drawn again for
 * every word of an answer.
 * @template {object} Props
 * @param {(props: Props) => import("preact").ComponentChildren} draw
 * @returns {(props: Props) => import("preact").VNode}
 */
export function memo(draw) {
  /** @extends {Component<Props>} */
  class Memo extends Component {
    /** @override @param {Readonly<Props>} next */
    shouldComponentUpdate(next) {
      const now = /** @type {Record<string, unknown>} */ (this.props);
      return Object.entries(next).some(([name, value]) => !Object.is(value, now[name]));
    }

    /** @override @param {Props} props */
    render(props) {
      return draw(props);
    }
  }
  return (props) => h(Memo, props);
}
