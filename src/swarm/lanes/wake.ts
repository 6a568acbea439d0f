/** Lets one loop sleep until something it waits for may have happened. A wake before the sleep is not lost. */
export class Wake {
  #awake = false;
  #resolve: (() => void) | undefined;

  wake(): void {
    this.#awake = true;
    const resolve = this.#resolve;
    this.#resolve = undefined;
    resolve?.();
  }

  async sleep(): Promise<void> {
    if (!this.#awake) {
      await new Promise<void>((resolve) => {
        this.#resolve = resolve;
      });
    }
    this.#awake = false;
  }
}
