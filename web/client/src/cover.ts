/**
 * Whose picture is this? Decides for one presented frame of a slot whether it belongs to the source that the slot
 * map names. Until it does, the picture is covered, so that no face ever shows under another's name.
 *
 * Every packet carries its source's id as CSRC, and a slot's RTP timestamps are one rising line through all its
 * sources. The browser reports for each CSRC the timestamp of its latest frame. Frames after the latest frame of
 * every other source, and not after the latest of ours, are ours.
 */

/** One `RTCRtpContributingSource`: a CSRC and the RTP timestamp of its latest frame. */
export interface Contribution {
  readonly source: number;
  readonly rtpTimestamp: number;
}

/** RTP timestamps wrap at 2^32 (RFC 3550, section 5.1): `a` comes after `b`. */
export function isAfter(a: number, b: number): boolean {
  return ((a - b) | 0) > 0;
}

/**
 * @param frame the presented frame's RTP timestamp; null where the browser does not tell
 * @param contributions what the receiver has heard of lately; empty where the browser does not tell
 * @param fromTs the slot's first timestamp of this source, once the server knows it
 */
export function showsSource(
  source: number,
  frame: number | null,
  contributions: readonly Contribution[],
  fromTs: number | null,
): boolean {
  if (frame === null) return newestOf(contributions)?.source === source || (contributions.length === 0 && fromTs !== null);
  const ours = contributions.find((contribution) => contribution.source === source);
  if (ours === undefined) {
    // After ten seconds without a CSRC the browser forgets it; then the timestamp alone must do.
    return contributions.length === 0 && fromTs !== null && !isAfter(fromTs, frame);
  }
  if (isAfter(frame, ours.rtpTimestamp)) return false;
  return contributions.every(
    (contribution) => contribution.source === source || isAfter(frame, contribution.rtpTimestamp),
  );
}

function newestOf(contributions: readonly Contribution[]): Contribution | null {
  let newest: Contribution | null = null;
  for (const contribution of contributions) {
    if (newest === null || isAfter(contribution.rtpTimestamp, newest.rtpTimestamp)) newest = contribution;
  }
  return newest;
}
