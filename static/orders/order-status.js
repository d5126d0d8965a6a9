/** What an order's status means, in a buyer's words. */

/** @import {Order} from "../shared/messages.js" */

export const STATUS = {
  pending: { label: "Not paid yet", tone: "warn", words: "This order waits for its payment." },
  authorised: { label: "Confirming", tone: "warn", words: "Your payment has arrived. The items are being confirmed." },
  confirmed: { label: "Confirmed", tone: "good", words: "The items are yours. The payment is being collected." },
  paid: { label: "Paid", tone: "good", words: "Thank you! The shop is getting your order ready." },
  shipped: { label: "Shipped", tone: "good", words: "Your order is on its way." },
  delivered: { label: "Delivered", tone: "good", words: "Your order has arrived." },
  cancelled: {
    label: "Cancelled",
    tone: "bad",
    words: "This order was cancelled. Money that was already taken goes back.",
  },
  refunded: { label: "Refunded", tone: "bad", words: "The money has gone back to you in full." },
};

const STEPS = [
  { label: "Ordered", done: ["pending", "authorised", "confirmed", "paid", "shipped", "delivered"] },
  { label: "Paid", done: ["confirmed", "paid", "shipped", "delivered"] },
  { label: "Shipped", done: ["shipped", "delivered"] },
  { label: "Delivered", done: ["delivered"] },
];

/** The way of an order that is neither cancelled nor refunded. @param {Order["status"]} status */
export function steps(status) {
  if (status === "cancelled" || status === "refunded") return [];
  const done = STEPS.filter((step) => step.done.includes(status)).length;
  return STEPS.map(({ label }, index) => ({ label, done: index < done, current: index === done - 1 }));
}

/** Something is still under way by itself. @param {Order} order */
export function isMoving(order) {
  return (
    order.status === "authorised" ||
    order.status === "confirmed" ||
    (order.status === "pending" && order.payment_url !== null)
  );
}

/** The order's own page, by the signed link where it has one. @param {Order} order */
export function pageOf(order) {
  const url = new URL(order.link || `/orders/${order.id}`, location.origin);
  return url.pathname + url.search;
}
